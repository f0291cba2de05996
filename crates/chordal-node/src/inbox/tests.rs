use std::sync::Arc;

use chordal_proto::Input;
use chordal_proto::input::{
    Completion, DiskAnswer, DiskError, EffectId, OperationId, TransferError,
};

use super::{Duty, Inbox};

#[test]
fn a_duty_done_is_told_once() {
    let inbox = Arc::new(Inbox::default());
    Duty::disk(Arc::clone(&inbox), EffectId(7)).answered(Ok(DiskAnswer::Done));
    let inputs = inbox.take(Vec::new());
    assert!(matches!(
        inputs[..],
        [Input::Completion {
            effect: EffectId(7),
            completion: Completion::Disk(Ok(DiskAnswer::Done))
        }]
    ));
    assert!(inbox.take(Vec::new()).is_empty());
}

#[test]
fn a_duty_dropped_is_told_as_a_failure_of_its_kind() {
    let inbox = Arc::new(Inbox::default());
    drop(Duty::disk(Arc::clone(&inbox), EffectId(1)));
    drop(Duty::transfer(Arc::clone(&inbox), EffectId(2)));
    let inputs = inbox.take(Vec::new());
    assert!(matches!(
        inputs[..],
        [
            Input::Completion {
                effect: EffectId(1),
                completion: Completion::Disk(Err(DiskError::Failed))
            },
            Input::Completion {
                effect: EffectId(2),
                completion: Completion::Transfer(Err(TransferError::Broken))
            }
        ]
    ));
}

#[tokio::test]
async fn what_came_before_the_wait_ends_the_wait() {
    let inbox = Inbox::default();
    inbox.withdraw(OperationId(3));
    inbox.filled().await;
    assert!(matches!(
        inbox.take(Vec::new())[..],
        [Input::Cancel(OperationId(3))]
    ));
}
