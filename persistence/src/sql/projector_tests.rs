//! Faults that only the projector's own connection can be given: a full disk, a database that turned
//! read-only, an input that the journal no longer has.

use super::*;
use sqlx::Executor as _;

#[path = "../../tests/sql_world/mod.rs"]
mod sql_world;
use sql_world::{Step, account, busy_day, instruments};

fn stage(projector: &mut Projector, steps: &[Step]) {
    for (stamped, outputs) in steps {
        projector.stage(stamped, outputs).unwrap();
    }
}

async fn untroubled(steps: &[Step]) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    stage(&mut projector, steps);
    projector.commit().await.unwrap();
    projector.digest().await.unwrap()
}

/// Half of a day is committed, then the connection is changed for the worse, then the rest comes.
async fn second_half_under(pragma: &'static str) -> SqlFault {
    let world = busy_day(200);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    let (first, second) = world.steps.split_at(world.steps.len() / 2);
    stage(&mut projector, first);
    projector.commit().await.unwrap();

    projector.open.as_mut().unwrap().connection.execute(pragma).await.unwrap();
    stage(&mut projector, second);
    let fault = projector.commit().await.unwrap_err();
    assert_eq!(projector.cursor(), Seq(first.len() as u64));
    assert_eq!(projector.staged_seq(), Seq(world.steps.len() as u64), "the batch is kept");

    assert_eq!(projector.commit().await, Ok(Seq(world.steps.len() as u64)), "a new connection, the same batch");
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
    match fault {
        CommitFault::Database(fault) => fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn disk_full() {
    let fault = second_half_under("PRAGMA max_page_count = 1").await;
    assert!(matches!(fault, SqlFault::Full(_)) && fault.is_transient(), "{fault}");
}

#[tokio::test]
async fn read_only() {
    let fault = second_half_under("PRAGMA query_only = ON").await;
    assert!(matches!(fault, SqlFault::ReadOnly(_)) && fault.is_transient(), "{fault}");
}

#[tokio::test]
async fn an_input_that_made_the_core_panic_is_skipped() {
    let world = busy_day(3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    stage(&mut projector, &world.steps[..5]);
    let (after, outputs) = &world.steps[6];
    for other in [4, 7] {
        let wrong = Stamped { input: Input::Poisoned { seq: Seq(other) }, ..after.clone() };
        assert_eq!(projector.stage(&wrong, outputs), Err(StageRefusal::Gap { expected: Seq(6), got: Seq(7) }));
    }
    let poisoned = Stamped { input: Input::Poisoned { seq: Seq(6) }, ..after.clone() };
    projector.stage(&poisoned, outputs).unwrap();
    assert_eq!(projector.commit().await, Ok(Seq(7)));
    let alerts = crate::sql::Archive::new(&path).alerts(None, 1).await.unwrap().rows;
    assert_eq!((alerts[0].alert.as_str(), alerts[0].detail.as_str()), ("InputPoisoned", "seq=6"));
}

#[tokio::test]
async fn inputs_that_retention_has_removed() {
    let world = busy_day(50);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    let (stamped, outputs) = &world.steps[40];
    let gap = StageRefusal::Gap { expected: Seq(1), got: stamped.seq };
    assert_eq!(projector.stage(stamped, outputs), Err(gap));
    projector.accept_gap(stamped.seq, stamped.now).unwrap();
    projector.accept_gap(stamped.seq, stamped.now).unwrap();
    stage(&mut projector, &world.steps[40..]);
    assert_eq!(projector.commit().await, Ok(Seq(world.steps.len() as u64)));
    let archive = crate::sql::Archive::new(&path);
    let alerts = archive.alerts(None, 10).await.unwrap().rows;
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].alert.as_str(), alerts[0].detail.as_str()), ("ProjectionGap", "from=1 until=40"));
    archive.close().await;
    projector.close().await.unwrap();
    assert!(!folder.path().join("projection.db-wal").exists(), "closed in good order");
}
