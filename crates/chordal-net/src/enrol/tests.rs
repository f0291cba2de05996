use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};

use super::*;
use crate::admission::Authority;
use crate::endpoint::{Config, Endpoint, Target};
use crate::event::{Event, Events};
use crate::invite::{InviteSecret, Inviter};
use crate::limits::ENROLMENTS_MAX;

const LISTENS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Lets in whoever knows the secret, once.
#[derive(Debug)]
struct Once {
    authority: Authority,
    secret: Mutex<Option<InviteSecret>>,
}

impl Inviter for Once {
    fn admit(&self, newcomer: PeerId, proof: &Proof) -> Result<Certificate, Refusal> {
        let mut secret = self.secret.lock().unwrap();
        match *secret {
            None => Err(Refusal::InviteUsed),
            Some(open) if proof.is_of(&open) => {
                *secret = None;
                Ok(self.authority.issue(newcomer, 0))
            }
            Some(_) => Err(Refusal::NotInvited),
        }
    }
}

/// Takes its time, and counts how many wait for it at once.
#[derive(Debug, Default)]
struct Slow {
    now: AtomicUsize,
    most: AtomicUsize,
    gate: (Mutex<bool>, Condvar),
}

impl Slow {
    fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

impl Inviter for Slow {
    fn admit(&self, _newcomer: PeerId, _proof: &Proof) -> Result<Certificate, Refusal> {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        let open = self.gate.0.lock().unwrap();
        drop(self.gate.1.wait_while(open, |open| !*open).unwrap());
        self.now.fetch_sub(1, SeqCst);
        Err(Refusal::NotInvited)
    }
}

async fn member(authority: &Authority, secret: Option<InviteSecret>) -> (Endpoint, Events) {
    let key = NodeKey::generate();
    let admission = Admission::new(authority.id(), authority.issue(key.peer_id(), 0));
    let admission = match secret {
        None => admission,
        some => admission.inviting(Arc::new(Once {
            authority: authority.clone(),
            secret: Mutex::new(some),
        })),
    };
    bind(key, admission).await
}

async fn bind(key: NodeKey, admission: Admission) -> (Endpoint, Events) {
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        key,
        admission: Arc::new(admission),
        limits: Limits::default(),
    };
    Endpoint::bind(config).await.unwrap()
}

fn code(at: &Endpoint, authority: &Authority) -> InviteCode {
    InviteCode::fresh(&[at.local_addr()], &authority.id())
}

async fn refusal(code: &InviteCode) -> ConnectError {
    let key = NodeKey::generate();
    let end = enrol(&key, LISTENS, code, &Limits::default()).await;
    end.unwrap_err()
}

#[tokio::test]
async fn whoever_has_the_code_becomes_a_member_once() {
    let authority = Authority::generate();
    let mut code = InviteCode::fresh(&[LISTENS], &authority.id());
    let (member, mut events) = member(&authority, Some(code.secret)).await;
    code.addrs = vec![member.local_addr()];
    let key = NodeKey::generate();
    let enrolled = enrol(&key, LISTENS, &code, &Limits::default())
        .await
        .unwrap();
    assert_eq!(enrolled.authority, authority.id());

    let (newcomer, _events) = bind(
        key,
        Admission::new(enrolled.authority, enrolled.certificate),
    )
    .await;
    let target = Target {
        addr: member.local_addr(),
        expect: Some(member.local_id()),
    };
    newcomer.send(target, bytes::Bytes::from_static(b"here I am"));
    loop {
        if let Some(Event::Message { from, bytes, .. }) = events.next().await {
            assert_eq!(
                (from, bytes.as_ref()),
                (newcomer.local_id(), &b"here I am"[..])
            );
            break;
        }
    }
    assert_eq!(
        refusal(&code).await,
        ConnectError::TheyRefuse(Refusal::InviteUsed)
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let authority = Authority::generate();
    let (member, _events) = member(&authority, Some([1; 12])).await;
    let code = code(&member, &authority);
    assert_eq!(
        refusal(&code).await,
        ConnectError::TheyRefuse(Refusal::NotInvited)
    );
}

#[tokio::test]
async fn a_node_without_the_authority_says_so() {
    let authority = Authority::generate();
    let (member, _events) = member(&authority, None).await;
    let code = code(&member, &authority);
    assert_eq!(
        refusal(&code).await,
        ConnectError::TheyRefuse(Refusal::CannotInvite)
    );
}

#[tokio::test]
async fn a_stranger_s_ring_learns_nothing() {
    let (ours, theirs) = (Authority::generate(), Authority::generate());
    let (stranger, _events) = member(&theirs, Some([1; 12])).await;
    let mut code = code(&stranger, &ours);
    code.secret = [1; 12];
    assert_eq!(
        refusal(&code).await,
        ConnectError::WeRefuse(Refusal::OtherRing)
    );
    // The proof was not sent: the stranger's invitation is open yet.
    let code = InviteCode {
        ring: Fingerprint::of(&theirs.id()),
        ..code
    };
    let key = NodeKey::generate();
    assert!(
        enrol(&key, LISTENS, &code, &Limits::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_expelled_node_is_not_let_in_again() {
    let authority = Authority::generate();
    let expelled = NodeKey::generate();
    let key = NodeKey::generate();
    let admission = Admission::new(authority.id(), authority.issue(key.peer_id(), 0));
    let admission = admission.inviting(Arc::new(Once {
        authority: authority.clone(),
        secret: Mutex::new(Some([1; 12])),
    }));
    admission
        .expel(authority.expel(expelled.peer_id(), 0))
        .unwrap();
    let (member, _events) = bind(key, admission).await;
    let code = InviteCode {
        secret: [1; 12],
        ..code(&member, &authority)
    };
    let end = enrol(&expelled, LISTENS, &code, &Limits::default()).await;
    assert_eq!(
        end.unwrap_err(),
        ConnectError::TheyRefuse(Refusal::Expelled)
    );
}

#[tokio::test]
async fn a_code_with_several_addresses_needs_one_that_answers() {
    let authority = Authority::generate();
    let (member, _events) = member(&authority, Some([1; 12])).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = nobody.local_addr().unwrap();
    drop(nobody);
    let mut code = code(&member, &authority);
    code.secret = [1; 12];
    code.addrs.insert(0, free);
    let key = NodeKey::generate();
    assert!(
        enrol(&key, LISTENS, &code, &Limits::default())
            .await
            .is_ok()
    );
    code.addrs.truncate(1);
    assert_eq!(refusal(&code).await, ConnectError::NobodyThere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_take_no_more_than_a_few_threads() {
    let authority = Authority::generate();
    let key = NodeKey::generate();
    let slow = Arc::new(Slow::default());
    let admission = Admission::new(authority.id(), authority.issue(key.peer_id(), 0));
    let admission = admission.inviting(Arc::clone(&slow) as Arc<_>);
    let places = admission.enrolments();
    let (member, _events) = bind(key, admission).await;
    let code = code(&member, &authority);
    let asking: Vec<_> = (0..4 * ENROLMENTS_MAX)
        .map(|_| {
            let code = code.clone();
            tokio::spawn(async move { refusal(&code).await })
        })
        .collect();
    while slow.now.load(SeqCst) < ENROLMENTS_MAX {
        tokio::task::yield_now().await;
    }
    let free = places.available_permits();
    slow.open();
    assert_eq!(free, 0);
    for asked in asking {
        let end = asked.await.unwrap();
        assert_eq!(end, ConnectError::TheyRefuse(Refusal::NotInvited));
    }
    assert_eq!(slow.most.load(SeqCst), ENROLMENTS_MAX);
}
