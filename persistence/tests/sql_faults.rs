//! The database is locked, gone, replaced, or the process is interrupted: nothing is lost, nothing is
//! written twice, and the projector says what happened.

mod sql_world;

use argonaut_engine::ids::Seq;
use argonaut_persistence::sql::{Archive, CommitFault, Digest, OrderQuery, Projector, SqlFault};
use sql_world::{Step, account, busy_day, instruments};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;
use std::time::Duration;

async fn open(path: &Path) -> Projector {
    Projector::open(path, &account(), &instruments()).await.unwrap()
}

fn stage(projector: &mut Projector, steps: &[Step]) {
    for (stamped, outputs) in steps {
        projector.stage(stamped, outputs).unwrap();
    }
}

async fn untroubled(steps: &[Step]) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    stage(&mut projector, steps);
    projector.commit().await.unwrap();
    projector.digest().await.unwrap()
}

fn files(path: &Path) -> [std::path::PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", path.display()).into())
}

#[tokio::test]
async fn locked_by_another_connection() {
    let world = busy_day(100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = open(&path).await;
    let (first, second) = world.steps.split_at(150);
    stage(&mut projector, first);
    projector.commit().await.unwrap();

    let mut other = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    stage(&mut projector, second);
    for _ in 0..2 {
        let fault = projector.commit().await.unwrap_err();
        let CommitFault::Database(fault @ SqlFault::Busy(_)) = fault else { panic!("{fault}") };
        assert!(fault.is_transient());
        assert_eq!(projector.cursor(), Seq(150));
        assert_eq!(projector.staged_seq(), Seq(world.steps.len() as u64));
    }
    lock.rollback().await.unwrap();
    assert_eq!(projector.commit().await, Ok(Seq(world.steps.len() as u64)));
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
}

#[tokio::test]
async fn moved_away_and_back() {
    let world = busy_day(100);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = open(&path).await;
    stage(&mut projector, &world.steps[..150]);
    projector.commit().await.unwrap();

    let away = elsewhere.path().join("projection.db");
    std::fs::rename(&path, &away).unwrap();
    stage(&mut projector, &world.steps[150..]);
    for _ in 0..3 {
        let fault = projector.commit().await.unwrap_err();
        assert!(matches!(fault, CommitFault::Database(SqlFault::Gone(_))), "{fault}");
        assert!(!path.exists(), "a commit must not put a new file where the old one will come back");
    }
    std::fs::rename(&away, &path).unwrap();
    assert_eq!(projector.commit().await, Ok(Seq(world.steps.len() as u64)));
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
}

#[tokio::test]
async fn deleted_for_good() {
    let world = busy_day(100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let archive = Archive::new(&path);
    let mut projector = open(&path).await;
    stage(&mut projector, &world.steps[..150]);
    projector.commit().await.unwrap();
    assert_eq!(archive.cursor().await.unwrap().seq, Seq(150));

    for file in files(&path) {
        let _ = std::fs::remove_file(file);
    }
    stage(&mut projector, &world.steps[150..]);
    let fault = projector.commit().await.unwrap_err();
    assert!(matches!(fault, CommitFault::Database(SqlFault::Gone(_))), "{fault}");
    assert!(matches!(archive.cursor().await, Err(SqlFault::Gone(_))));

    assert_eq!(projector.rewind().await, Ok(Seq(0)));
    stage(&mut projector, &world.steps);
    projector.commit().await.unwrap();
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
    assert_eq!(archive.cursor().await.unwrap().seq, Seq(world.steps.len() as u64), "readers follow to the new file");
    assert!(!archive.orders(&OrderQuery { limit: 5, ..OrderQuery::default() }).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn replaced_by_an_older_copy() {
    let world = busy_day(100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let backup = folder.path().join("backup.db");
    let mut early = open(&backup).await;
    stage(&mut early, &world.steps[..100]);
    early.commit().await.unwrap();
    early.close().await.unwrap();
    let mut projector = open(&path).await;
    stage(&mut projector, &world.steps[..150]);
    projector.commit().await.unwrap();

    for (from, to) in files(&backup).iter().zip(files(&path)) {
        let _ = std::fs::remove_file(&to);
        let _ = std::fs::rename(from, to);
    }
    stage(&mut projector, &world.steps[150..]);
    let fault = projector.commit().await.unwrap_err();
    assert_eq!(fault, CommitFault::CursorMoved { expected: Seq(150), found: Seq(100) });
    assert_eq!(projector.rewind().await, Ok(Seq(100)));
    stage(&mut projector, &world.steps);
    projector.commit().await.unwrap();
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
}

#[tokio::test]
async fn not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    std::fs::write(&path, "this is a letter to my aunt, and by no means a database".repeat(100)).unwrap();
    let fault = Projector::open(&path, &account(), &instruments()).await.err().unwrap();
    assert!(fault.to_string().contains("damaged"), "{fault}");
    let nowhere = folder.path().join("no such folder").join("projection.db");
    let fault = Projector::open(&nowhere, &account(), &instruments()).await.err().unwrap();
    assert!(fault.to_string().contains("cannot be reached"), "{fault}");
}

#[tokio::test]
async fn commits_that_are_dropped_half_way() {
    let world = busy_day(400);
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    let mut dropped_count = 0;
    for (at, chunk) in world.steps.chunks(100).enumerate() {
        stage(&mut projector, chunk);
        let mut patience = Duration::from_micros(150 * (at as u64 + 1));
        while tokio::time::timeout(patience, projector.commit()).await.map(Result::unwrap).is_err() {
            dropped_count += 1;
            patience *= 2;
        }
    }
    assert!(dropped_count > 0, "no commit was interrupted: the test says nothing");
    assert_eq!(projector.cursor(), Seq(world.steps.len() as u64));
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
}

#[tokio::test]
async fn a_new_process_after_a_commit_whose_answer_was_lost() {
    let world = busy_day(100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = open(&path).await;
    // Another projector commits the same batch first: what a lost answer looks like from here.
    let mut twin = open(&path).await;
    stage(&mut projector, &world.steps);
    stage(&mut twin, &world.steps);
    twin.commit().await.unwrap();
    drop(twin);
    assert_eq!(projector.commit().await, Ok(Seq(world.steps.len() as u64)));
    assert_eq!(projector.digest().await.unwrap(), untroubled(&world.steps).await);
}
