//! The asker's side: the plan's nodes are asked side by side, and what they sign is checked.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chordal_net::{Endpoint, Target};
use chordal_object::{ChunkId, NodeId};
use chordal_proto::effect::Answer;
use chordal_proto::input::Command;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, sleep, timeout};

use super::holder::Unsigned;
use super::plan::{Part, Plan};
use super::question::{decode_answer, encode_chunks};
use super::{Attested, Attestor, Inquiry, NoWord, Question, Statement, Why};
use crate::bulk::{Verdict, Wish};
use crate::client::{Client, unexpected};
use crate::error::{NodeError, Refused};
use crate::exec;
use crate::limits::{
    ATTEST_BUSY, ATTEST_NODES_AT_ONCE, ATTEST_PATIENCE, ATTEST_PATIENCE_MAX, ATTEST_PAUSE_MAX,
    ATTEST_WAIT, RECEIPT_CHUNKS_MAX,
};

/// What asks for one node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) client: Arc<Client>,
    pub(crate) endpoint: Endpoint,
    pub(crate) own: Attestor,
}

/// What one node said: its words so far, and why there are no more.
type Heard = (Vec<Statement>, Option<NoWord>);

impl Asker {
    /// Asks all who should know.
    pub(crate) async fn inquire(&self, inquiry: &Inquiry) -> Result<Attested, NodeError> {
        if inquiry.chunks.len() > RECEIPT_CHUNKS_MAX {
            return Err(Refused::ManyChunks(inquiry.chunks.len() as u64).into());
        }
        let Answer::Status(ring) = self.client.ask(Command::Status).await? else {
            unexpected("Status")
        };
        let expelled: BTreeSet<NodeId> = {
            let all = self.own.admission().expulsions().into_iter();
            all.map(|word| exec::node(word.node())).collect()
        };
        let plan = Plan::new(&ring, &self.client.settings(), &expelled, inquiry);
        let asking = plan
            .asked
            .into_iter()
            .map(|(node, (addr, part))| self.ask_node(inquiry, node, addr, part));
        let heard: Vec<Heard> = stream::iter(asking)
            .buffer_unordered(ATTEST_NODES_AT_ONCE)
            .collect()
            .await;
        let mut attested = Attested {
            wanted: plan.wanted,
            statements: Vec::new(),
            unheard: plan.unheard,
        };
        for (statements, unheard) in heard {
            attested.statements.extend(statements);
            attested.unheard.extend(unheard);
        }
        attested
            .statements
            .sort_by_key(|statement| (statement.holding.node, statement.held.first().copied()));
        attested.unheard.sort_by_key(|unheard| unheard.node);
        Ok(attested)
    }

    /// Asks one node, in as many questions as it takes.
    async fn ask_node(
        &self,
        inquiry: &Inquiry,
        node: NodeId,
        addr: SocketAddr,
        part: Part,
    ) -> Heard {
        let mut question = Question {
            nonce: inquiry.nonce,
            subject: inquiry.subject,
            read: inquiry.read,
            record: inquiry.record.clone().filter(|_| part.record),
        };
        let places: Vec<u32> = part.chunks.into_iter().collect();
        let mut questions: Vec<&[u32]> = places.chunks(question.chunks_max()).collect();
        if questions.is_empty() {
            // There is nothing but the record.
            questions.push(&[]);
        }
        let mut statements = Vec::with_capacity(questions.len());
        for places in questions {
            let at = |&place| inquiry.chunks[usize::try_from(place).expect("a place in them")];
            let chunks: Vec<ChunkId> = places.iter().map(at).collect();
            match self.put_question(&question, node, addr, &chunks).await {
                Ok(mut statement) => {
                    let asked = |&held| places[usize::try_from(held).expect("one of these")];
                    statement.held = statement.held.iter().map(asked).collect();
                    statements.push(statement);
                }
                Err(why) => {
                    let addr = Some(addr);
                    return (statements, Some(NoWord { node, addr, why }));
                }
            }
            // Once is enough.
            question.record = None;
        }
        (statements, None)
    }

    /// Puts one question, again while the holder has enough to do.
    async fn put_question(
        &self,
        question: &Question,
        node: NodeId,
        addr: SocketAddr,
        chunks: &[ChunkId],
    ) -> Result<Statement, Why> {
        let begun = Instant::now();
        let mut patience = ATTEST_PATIENCE;
        loop {
            let said = if node == self.own.node() {
                self.own.attest(question, chunks).await
            } else {
                self.put_to_other(question, node, addr, chunks).await?
            };
            let pause = match said {
                Ok(statement) => return self.checked(question, node, statement, chunks),
                Err(Unsigned::Misunderstood) => return Err(Why::Older),
                Err(Unsigned::Failed) => return Err(Why::Failed),
                Err(Unsigned::Busy(pause)) => {
                    patience = patience.max(patience_for(pause));
                    pause.clamp(ATTEST_BUSY, ATTEST_PAUSE_MAX)
                }
            };
            if begun.elapsed() + pause > patience {
                return Err(Why::Busy);
            }
            sleep(pause).await;
        }
    }

    async fn put_to_other(
        &self,
        question: &Question,
        node: NodeId,
        addr: SocketAddr,
        chunks: &[ChunkId],
    ) -> Result<Result<Statement, Unsigned>, Why> {
        let target = Target {
            addr,
            expect: Some(exec::peer(node)),
        };
        let header = Wish::Attest(Box::new(question.clone())).encode();
        let body = encode_chunks(chunks.iter().copied());
        let asking = self.endpoint.request(target, header, Some(body));
        let response = match timeout(ATTEST_WAIT, asking).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::debug!(%addr, %error, "a holder does not say what it holds");
                return Err(Why::Silent);
            }
            Err(_) => return Err(Why::Silent),
        };
        Ok(match Verdict::decode(&response.header) {
            Some(Verdict::Done) => {
                let statement = decode_answer(&response.body, chunks.len(), addr);
                Ok(statement.ok_or(Why::False)?)
            }
            Some(Verdict::Busy) => {
                let pause = response.body.as_ref().try_into().map(u32::from_be_bytes);
                let pause = Duration::from_millis(pause.unwrap_or(0).into());
                Err(Unsigned::Busy(pause))
            }
            Some(Verdict::Misunderstood) => Err(Unsigned::Misunderstood),
            Some(Verdict::Failed | Verdict::NotThere | Verdict::Full) => Err(Unsigned::Failed),
            None => return Err(Why::False),
        })
    }

    /// A statement that answers the question.
    fn checked(
        &self,
        question: &Question,
        node: NodeId,
        statement: Statement,
        chunks: &[ChunkId],
    ) -> Result<Statement, Why> {
        let about = (&question.nonce, &question.subject);
        let checked = statement.check(&self.own.authority(), about, chunks);
        let is_of_it = statement.holding.node == node && statement.holding.read == question.read;
        if checked.is_err() || !is_of_it {
            tracing::warn!(%node, ?checked, "a node signs what does not answer the question");
            return Err(Why::False);
        }
        Ok(statement)
    }
}

/// How long a holder is waited for that told of this pause: once over, another asker may come first.
fn patience_for(pause: Duration) -> Duration {
    let twice = pause.saturating_mul(2);
    twice.clamp(ATTEST_PATIENCE, ATTEST_PATIENCE_MAX)
}

#[cfg(test)]
mod tests;
