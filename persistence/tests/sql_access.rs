//! Users, sessions and audit on a real file.

use argonaut_engine::ids::UserId;
use argonaut_engine::units::{Nanos, Span};
use argonaut_persistence::sql::{
    Access, AuditEntry, AuditQuery, AuditResult, NewSession, NewUser, Revocation, Role, Rotation,
    SESSIONS_PER_USER_MAX, TokenHash, User, UserFault,
};
use sqlx::ConnectOptions as _;

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA";

fn at(seconds: u64) -> Nanos {
    Nanos::ZERO.plus(Span::from_secs(1_700_000_000 + seconds))
}

async fn access() -> (tempfile::TempDir, Access) {
    let folder = tempfile::tempdir().unwrap();
    let access = Access::open(&folder.path().join("access.db")).await.unwrap();
    (folder, access)
}

async fn user(access: &Access, name: &str, role: Role) -> User {
    access.users.create(&NewUser { name, password_hash: HASH, role }, at(0)).await.unwrap()
}

/// Begins a family called by `token` with this first token.
async fn login(access: &Access, user: &User, token: &str, now: Nanos) -> String {
    let family = format!("{token:0>16}");
    let new = NewSession {
        family: &family,
        user: user.id,
        token: TokenHash::of(token),
        token_expires: now.plus(Span::from_secs(100)),
        expires: now.plus(Span::from_secs(1_000)),
        user_agent: "curl",
        ip: "127.0.0.1",
    };
    access.sessions.create(&new, now).await.unwrap();
    family
}

async fn rotate(access: &Access, from: &str, to: &str, now: Nanos) -> Rotation {
    let expires = now.plus(Span::from_secs(100));
    access.sessions.rotate(TokenHash::of(from), TokenHash::of(to), expires, now).await.unwrap()
}

#[tokio::test]
async fn users_are_made_found_and_kept_over_a_restart() {
    let (folder, access) = access().await;
    assert_eq!(access.users.count().await.unwrap(), 0);
    let anna = access.users.create_first_admin("Anna", HASH, at(1)).await.unwrap();
    assert_eq!((anna.id, anna.role, anna.ts_disabled), (UserId(1), Role::Admin, None));
    assert_eq!(access.users.create_first_admin("eve", HASH, at(2)).await, Err(UserFault::NotFirst));
    let again = NewUser { name: "ANNA", password_hash: HASH, role: Role::Viewer };
    assert_eq!(access.users.create(&again, at(2)).await, Err(UserFault::NameTaken));
    let nameless = NewUser { name: "", password_hash: HASH, role: Role::Viewer };
    assert_eq!(access.users.create(&nameless, at(2)).await, Err(UserFault::NameLength));
    let bert = user(&access, "bert", Role::Trader).await;
    access.close().await;

    let access = Access::open(&folder.path().join("access.db")).await.unwrap();
    assert_eq!(access.users.find("anna").await.unwrap(), Some(anna.clone()));
    assert_eq!(access.users.get(bert.id).await.unwrap(), Some(bert.clone()));
    assert_eq!(access.users.find("nobody").await.unwrap(), None);
    assert_eq!(access.users.list().await.unwrap(), [anna, bert]);
    assert!(!format!("{:?}", access.users.list().await.unwrap()).contains("argon2"));
}

#[tokio::test]
async fn two_who_open_the_first_link_at_once() {
    let (_folder, access) = access().await;
    let (one, two) = tokio::join!(
        access.users.create_first_admin("one", HASH, at(0)),
        access.users.create_first_admin("two", HASH, at(0)),
    );
    assert_eq!(one.is_ok() as u8 + two.is_ok() as u8, 1);
    assert_eq!(access.users.count().await.unwrap(), 1);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (_folder, access) = access().await;
    let (users, anna) = (&access.users, user(&access, "anna", Role::Admin).await);
    assert_eq!(users.set_role(anna.id, Role::Viewer, at(1)).await, Err(UserFault::LastAdmin));
    assert_eq!(users.disable(anna.id, at(1)).await, Err(UserFault::LastAdmin));
    let bert = user(&access, "bert", Role::Admin).await;
    users.disable(bert.id, at(2)).await.unwrap();
    assert_eq!(users.disable(anna.id, at(3)).await, Err(UserFault::LastAdmin), "a disabled one does not count");
    users.enable(bert.id, at(4)).await.unwrap();
    users.set_role(anna.id, Role::Viewer, at(5)).await.unwrap();
    assert_eq!(users.get(anna.id).await.unwrap().unwrap().role, Role::Viewer);
    let nobody = UserId(99);
    assert_eq!(users.set_role(nobody, Role::Admin, at(6)).await, Err(UserFault::Unknown(nobody)));
    assert_eq!(users.disable(nobody, at(6)).await, Err(UserFault::Unknown(nobody)));
    assert_eq!(users.enable(nobody, at(6)).await, Err(UserFault::Unknown(nobody)));
    assert_eq!(users.set_password(nobody, HASH, at(6)).await, Err(UserFault::Unknown(nobody)));
}

#[tokio::test]
async fn a_token_is_exchanged_once_and_its_copy_ends_the_family() {
    let (_folder, access) = access().await;
    let anna = user(&access, "anna", Role::Trader).await;
    let family = login(&access, &anna, "t0", at(0)).await;
    let Rotation::Rotated(session) = rotate(&access, "t0", "t1", at(10)).await else { panic!() };
    assert_eq!((session.rotation, session.ts_used, session.family.as_str()), (1, at(10), family.as_str()));
    let Rotation::Rotated(session) = rotate(&access, "t1", "t2", at(20)).await else { panic!() };
    assert_eq!(session.rotation, 2);

    let reused = Rotation::Reused { family: family.clone(), user: anna.id };
    assert_eq!(rotate(&access, "t0", "x1", at(30)).await, reused, "somebody has a copy of the first token");
    assert_eq!(rotate(&access, "t2", "t3", at(31)).await, Rotation::Revoked, "the rightful token fell with it");
    assert_eq!(rotate(&access, "x1", "x2", at(32)).await, Rotation::Unknown, "the thief got nothing");
    let session = access.sessions.get(&family).await.unwrap().unwrap();
    assert_eq!((session.ts_revoked, session.revoked_reason.as_deref()), (Some(at(30)), Some("Reuse")));
}

#[tokio::test]
async fn two_who_present_the_same_token_at_once() {
    let (_folder, access) = access().await;
    let anna = user(&access, "anna", Role::Trader).await;
    login(&access, &anna, "t0", at(0)).await;
    let (one, two) = tokio::join!(rotate(&access, "t0", "a1", at(1)), rotate(&access, "t0", "b1", at(1)));
    let rotated = |rotation: &Rotation| matches!(rotation, Rotation::Rotated(_));
    let reused = |rotation: &Rotation| matches!(rotation, Rotation::Reused { .. });
    assert!((rotated(&one) && reused(&two)) || (reused(&one) && rotated(&two)), "{one:?} {two:?}");
}

#[tokio::test]
async fn tokens_that_no_longer_hold() {
    let (_folder, access) = access().await;
    let anna = user(&access, "anna", Role::Admin).await;
    let bert = user(&access, "bert", Role::Trader).await;
    login(&access, &anna, "old", at(0)).await;
    assert_eq!(rotate(&access, "old", "new", at(100)).await, Rotation::Expired, "the token's own time");
    login(&access, &anna, "k0", at(0)).await;
    for step in 0..10_u64 {
        let rotation = rotate(&access, &format!("k{step}"), &format!("k{}", step + 1), at(step * 99)).await;
        assert!(matches!(rotation, Rotation::Rotated(_)), "{rotation:?}");
    }
    assert_eq!(rotate(&access, "k10", "k11", at(1_000)).await, Rotation::Expired, "the family's time");
    assert_eq!(rotate(&access, "never issued", "n", at(0)).await, Rotation::Unknown);

    let cases: [(&str, Revocation); 2] = [("l0", Revocation::Logout), ("m0", Revocation::Admin)];
    for (token, why) in cases {
        let family = login(&access, &anna, token, at(0)).await;
        assert!(access.sessions.revoke(&family, why, at(1)).await.unwrap());
        assert!(!access.sessions.revoke(&family, why, at(2)).await.unwrap(), "once");
        assert_eq!(rotate(&access, token, "n", at(3)).await, Rotation::Revoked);
    }
    login(&access, &bert, "p0", at(0)).await;
    access.users.set_password(bert.id, HASH, at(1)).await.unwrap();
    assert_eq!(rotate(&access, "p0", "p1", at(2)).await, Rotation::Revoked, "a new password ends all sessions");
    login(&access, &bert, "d0", at(3)).await;
    access.users.disable(bert.id, at(4)).await.unwrap();
    assert_eq!(rotate(&access, "d0", "d1", at(5)).await, Rotation::Revoked);
    login(&access, &anna, "q0", at(0)).await;
    let family = format!("{:0>16}", "q0");
    assert_eq!(access.sessions.revoke_by_token(TokenHash::of("q0"), at(1)).await.unwrap(), Some(family));
    assert_eq!(access.sessions.revoke_by_token(TokenHash::of("q0"), at(1)).await.unwrap(), None, "once");
    assert_eq!(access.sessions.revoke_by_token(TokenHash::of("q9"), at(1)).await.unwrap(), None);
    assert_eq!(rotate(&access, "q0", "q1", at(2)).await, Rotation::Revoked);
}

#[tokio::test]
async fn old_sessions_leave() {
    let (_folder, access) = access().await;
    let anna = user(&access, "anna", Role::Admin).await;
    for number in 0..SESSIONS_PER_USER_MAX as u64 + 3 {
        login(&access, &anna, &format!("s{number}"), at(number)).await;
    }
    let sessions = access.sessions.list(anna.id).await.unwrap();
    assert_eq!(sessions.len() as i64, SESSIONS_PER_USER_MAX);
    assert_eq!(sessions[0].ts_created, at(66), "newest first");
    assert_eq!(rotate(&access, "s0", "n", at(70)).await, Rotation::Unknown, "the oldest left");

    assert_eq!(access.sessions.purge(at(1_000)).await.unwrap(), 0, "none has expired before");
    assert_eq!(access.sessions.purge(at(1_010)).await.unwrap(), 7);
    assert_eq!(access.sessions.revoke_user(anna.id, Revocation::Admin, at(80)).await.unwrap(), 57);
    assert_eq!(rotate(&access, "s3", "n", at(70)).await, Rotation::Unknown, "purged with its tokens");
}

fn entry(seconds: u64, user: Option<u32>, action: &str, result: AuditResult) -> AuditEntry {
    AuditEntry {
        ts: at(seconds),
        user: user.map(UserId),
        user_name: "anna".to_owned(),
        ip: "127.0.0.1".to_owned(),
        user_agent: "é".repeat(200),
        request_id: "r-1".to_owned(),
        action: action.to_owned(),
        target: "risk".to_owned(),
        before: Some(r#"{"order_qty_max":"100"}"#.to_owned()),
        after: None,
        result,
        detail: "end of quarter".to_owned(),
    }
}

#[tokio::test]
async fn the_trail_is_searched_and_never_changed() {
    let (folder, access) = access().await;
    for second in 0..50 {
        let action = if second % 2 == 0 { "auth.login" } else { "risk.limits.set" };
        let result = if second % 5 == 0 { AuditResult::Refused } else { AuditResult::Ok };
        access.audit.append(&entry(second / 2, (second % 3 != 0).then_some(7), action, result)).await.unwrap();
    }
    let count = |query: AuditQuery| {
        let audit = access.audit.clone();
        async move { audit.search(&AuditQuery { limit: 1_000, ..query }).await.unwrap().rows.len() }
    };
    let all = AuditQuery::default();
    assert_eq!(count(all.clone()).await, 50);
    assert_eq!(count(AuditQuery { user: Some(UserId(7)), ..all.clone() }).await, 33);
    assert_eq!(count(AuditQuery { action: Some("auth.login".to_owned()), ..all.clone() }).await, 25);
    assert_eq!(count(AuditQuery { result: Some(AuditResult::Refused), ..all.clone() }).await, 10);
    assert_eq!(count(AuditQuery { from: Some(at(5)), until: Some(at(10)), ..all.clone() }).await, 10);

    let (mut seen, mut query) = (Vec::new(), AuditQuery { limit: 7, ..all });
    loop {
        let page = access.audit.search(&query).await.unwrap();
        seen.extend(page.rows.iter().map(|row| row.id));
        match page.next {
            Some(next) => query.older_than = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, (1..=50).rev().collect::<Vec<u64>>());
    let first = &access.audit.search(&AuditQuery { limit: 1, ..AuditQuery::default() }).await.unwrap().rows[0].entry;
    assert_eq!(first.user_agent, "é".repeat(128), "overlong texts are cut at a character");

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("access.db"));
    let mut hand = options.connect().await.unwrap();
    for tampering in ["DELETE FROM audit WHERE id = 1", "UPDATE audit SET result = 'Ok' WHERE id = 1"] {
        let refused = sqlx::query(tampering).execute(&mut hand).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}
