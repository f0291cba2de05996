use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Watch;
use crate::node::Phase;

#[tokio::test]
async fn a_core_that_fails_takes_its_node_down() {
    for (fails, phase) in [(true, Phase::Stopped), (false, Phase::Running)] {
        let watch = Watch {
            phase: watch::Sender::new(Phase::Running),
            stop: CancellationToken::new(),
        };
        let (seen, stop) = (watch.phase.subscribe(), watch.stop.clone());
        let task = tokio::spawn(async move {
            let _watch = watch;
            assert!(!fails, "made to fail");
        });
        assert_eq!(task.await.is_err(), fails);
        assert_eq!(*seen.borrow(), phase);
        assert_eq!(stop.is_cancelled(), fails);
    }
}
