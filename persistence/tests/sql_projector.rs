//! The projector on real SQLite files: same journal, same rows, whatever happens in between.

mod sql_world;

use argonaut_engine::ids::Seq;
use argonaut_persistence::sql::{Digest, Projector, StageRefusal};
use sql_world::{Step, account, busy_day, instruments};
use std::path::Path;

async fn open(path: &Path) -> Projector {
    Projector::open(path, &account(), &instruments()).await.unwrap()
}

/// Feeds all steps, with a commit after each `every`.
async fn feed(projector: &mut Projector, steps: &[Step], every: usize) {
    for chunk in steps.chunks(every) {
        for (stamped, outputs) in chunk {
            projector.stage(stamped, outputs).unwrap();
        }
        projector.commit().await.unwrap();
    }
}

async fn digest_of(steps: &[Step], every: usize) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    feed(&mut projector, steps, every).await;
    projector.digest().await.unwrap()
}

#[tokio::test]
async fn opens_empty_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    assert_eq!(open(&path).await.cursor(), Seq(0));
    assert_eq!(open(&path).await.cursor(), Seq(0));
}

#[tokio::test]
async fn every_way_to_cut_the_batches_gives_the_same_rows() {
    let world = busy_day(200);
    let whole = digest_of(&world.steps, usize::MAX).await;
    for table in &whole.tables {
        assert!(table.rows_count > 0 || table.table == "limit_changes", "{} is empty", table.table);
    }
    for every in [1, 7, 100] {
        assert_eq!(digest_of(&world.steps, every).await, whole, "a commit after each {every} inputs");
    }
}

#[tokio::test]
async fn resumes_at_its_cursor_when_dropped_midway() {
    let world = busy_day(200);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let half = world.steps.len() / 2;
    let mut first = open(&path).await;
    feed(&mut first, &world.steps[..half], 50).await;
    for (stamped, outputs) in &world.steps[half..half + 20] {
        first.stage(stamped, outputs).unwrap();
    }
    drop(first);

    let mut second = open(&path).await;
    assert_eq!(second.cursor(), Seq(half as u64), "what was only staged is not in the tables");
    feed(&mut second, &world.steps, 64).await;
    assert_eq!(second.digest().await.unwrap(), digest_of(&world.steps, usize::MAX).await);
}

#[tokio::test]
async fn a_rebuilt_projection_equals_the_live_one() {
    let world = busy_day(150);
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    feed(&mut projector, &world.steps, 13).await;
    let live = projector.digest().await.unwrap();
    projector.truncate_projection().await.unwrap();
    assert_eq!(projector.cursor(), Seq(0));
    assert_ne!(projector.digest().await.unwrap(), live);
    feed(&mut projector, &world.steps, 999).await;
    assert_eq!(projector.digest().await.unwrap(), live);
}

#[tokio::test]
async fn an_input_left_out_is_noticed() {
    let world = busy_day(3);
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    let (stamped, outputs) = &world.steps[1];
    let refusal = projector.stage(stamped, outputs).unwrap_err();
    assert_eq!(refusal, StageRefusal::Gap { expected: Seq(1), got: Seq(2) });
}
