//! What is to be shown, as it comes from the node; and the way back to it when it went away.

use std::time::Duration;

use chordal_web::api::{Check, Scene, TimelineEvent};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::cli::Common;
use crate::client::Client;
use crate::find;
use crate::trouble::Trouble;

/// How often the live ring is walked for its certificate.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// How long it is not walked again, whatever happens.
const CHECK_REST: Duration = Duration::from_secs(2);

/// How soon a node that went away is looked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Something to show.
#[derive(Debug)]
pub(super) enum News {
    /// How the ring is now.
    Scene(Box<Scene>),
    /// What a walk over it found.
    Checked(Box<Check>),
    /// What happened of late, oldest first.
    Lately(Vec<TimelineEvent>),
    /// The node does not answer any more, and why.
    Away(String),
}

/// Brings news.
#[derive(Debug)]
pub(super) struct Feed {
    common: Common,
    news: mpsc::Sender<News>,
    wanted: Notify,
}

impl Feed {
    pub(super) fn new(common: Common, news: mpsc::Sender<News>) -> Self {
        Self {
            common,
            news,
            wanted: Notify::new(),
        }
    }

    /// Has the ring walked now.
    pub(super) fn check(&self) {
        self.wanted.notify_one();
    }

    /// Brings news until nobody wants any; from the node that this client is of, and later from the one
    /// that is found in its place.
    pub(super) async fn run(&self, client: Client) {
        let mut client = Ok(client);
        while !self.news.is_closed() {
            let ended = match client {
                Ok(client) => self.of(&client).await,
                Err(trouble) => Err(trouble),
            };
            if let Err(trouble) = ended
                && self
                    .news
                    .send(News::Away(trouble.message.clone()))
                    .await
                    .is_err()
            {
                return;
            }
            sleep(AGAIN).await;
            // It may have come back at another port.
            client = find::client(&self.common);
        }
    }

    /// Brings news of one node until it ends.
    async fn of(&self, client: &Client) -> Result<(), Trouble> {
        let mut events = client.events().await?;
        let (noted_in, noted) = watch::channel(0);
        let scenes = async {
            loop {
                let scene = events.next().await?;
                let _before = noted_in.send_replace(scene.noted);
                if self.news.send(News::Scene(Box::new(scene))).await.is_err() {
                    return Ok(());
                }
            }
        };
        tokio::select! {
            ended = scenes => ended,
            () = self.checks(client) => Ok(()),
            () = self.timeline(client, noted) => Ok(()),
        }
    }

    /// Walks the ring again and again. What fails shows in the scenes, too.
    async fn checks(&self, client: &Client) {
        loop {
            if let Ok(Ok(check)) = timeout(CHECK_EVERY, client.check()).await
                && self
                    .news
                    .send(News::Checked(Box::new(check)))
                    .await
                    .is_err()
            {
                return;
            }
            sleep(CHECK_REST).await;
            drop(timeout(CHECK_EVERY, self.wanted.notified()).await);
        }
    }

    /// Asks what happened, whenever something did.
    async fn timeline(&self, client: &Client, mut noted: watch::Receiver<u64>) {
        loop {
            if let Ok(Ok(timeline)) = timeout(CHECK_EVERY, client.timeline()).await
                && self.news.send(News::Lately(timeline.events)).await.is_err()
            {
                return;
            }
            if noted.changed().await.is_err() {
                return;
            }
            self.check();
        }
    }
}
