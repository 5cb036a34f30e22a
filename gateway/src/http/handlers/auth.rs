//! Login, refresh, logout, tickets, first-run setup.

use crate::auth::{Identity, Role, Tokens, Verdict};
use crate::dto::words::Word;
use crate::http::body::Body;
use crate::http::{Answered, App, Caller, Login, Origin, Problem, RefreshBody, Setup, Shared};
use crate::ports::{AuditAction, CreateUserError, FamilyId, NewRefresh, NewUser, Rotation, User};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use argonaut_engine::ids::UserId;
use serde::Serialize;
use utoipa::ToSchema;

const COOKIE: &str = "argonaut_refresh";
const COOKIE_PATH: &str = "/api/v1/auth";

/// Tokens of a login.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    /// Absent when it was set as a cookie. Good for one use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub user: Me,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    pub id: u32,
    pub name: String,
    /// `viewer`, `trader` or `admin`.
    pub role: &'static str,
}

/// Whether the installation has its first administrator.
#[derive(Serialize, ToSchema)]
pub struct SetupState {
    /// Open the link printed on the console.
    pub needed: bool,
}

/// A ticket for `/api/v1/stream?ticket=...`.
#[derive(Serialize, ToSchema)]
pub struct Ticket {
    pub ticket: String,
    /// Seconds; good for one use.
    pub expires_in: u64,
}

fn who(identity: &Identity) -> Me {
    Me { id: identity.user.0, name: identity.name.clone(), role: identity.role.word() }
}

/// Takes name and password, gives tokens. A wrong name and a wrong password look the same.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = Login, responses(
    (status = 200, body = Session),
    (status = 401, description = "Name or password is wrong"),
    (status = 429, description = "Too many failures; see Retry-After"),
))]
pub async fn login(app: Shared, from: Origin, body: Body) -> Answered {
    let Login { name, password, cookie } = Login::read(body.0)?;
    throttle(&app, &name, &from)?;
    let user = match app.deps.users.by_name(&name).await? {
        Some(user) if !user.disabled => Some(user),
        Some(_) | None => None,
    };
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    // A password no account can have is not worth a hash, but it must cost the same.
    let password: String = password.chars().take(crate::auth::password::PASSWORD_BYTES_MAX + 1).collect();
    let fits = app.hashes.verify(password, hash).await?;
    let Some(user) = user.filter(|_| fits) else {
        let now = app.now();
        app.name_throttle.fail(&throttle_key(&name), now);
        app.address_throttle.fail(&from.address, now);
        app.audit(AuditAction::LoginFailed, None, &name, &from);
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "login_failed", "Name or password is wrong."));
    };
    app.name_throttle.clear(&throttle_key(&name));
    app.audit(AuditAction::Login, Some(user.id), &user.name, &from);
    open(&app, &user, cookie).await
}

/// Names are as long as a client likes; the throttle remembers thousands of them.
fn throttle_key(name: &str) -> String {
    name.chars().take(64).collect::<String>().to_lowercase()
}

fn throttle(app: &App, name: &str, from: &Origin) -> Result<(), Problem> {
    let now = app.now();
    let verdicts = [app.name_throttle.check(&throttle_key(name), now), app.address_throttle.check(&from.address, now)];
    let wait = verdicts.into_iter().filter_map(|verdict| match verdict {
        Verdict::Go => None,
        Verdict::Wait { seconds } => Some(seconds),
    });
    match wait.max() {
        None => Ok(()),
        Some(seconds) => {
            app.audit(AuditAction::LoginThrottled, None, name, from);
            Err(Problem::throttled(seconds))
        }
    }
}

/// Opens a login family and answers its first tokens.
async fn open(app: &Shared, user: &User, cookie: bool) -> Answered {
    let now = app.now();
    let family = FamilyId(u128::from_le_bytes(crate::entropy::random()?));
    let (token, hash) = Tokens::new_refresh()?;
    let first = NewRefresh { hash, expires: app.tokens.refresh_expires(now) };
    app.deps.sessions.open(family, user.id, first, now).await?;
    session(app, user, family, token, cookie)
}

fn session(app: &App, user: &User, family: FamilyId, refresh: String, cookie: bool) -> Answered {
    let now = app.now();
    let identity = Identity {
        user: user.id,
        name: user.name.clone(),
        role: user.role,
        family,
        expires: app.tokens.access_expires(now),
    };
    let access_token = app.tokens.sign(&identity, now).map_err(|error| {
        tracing::error!(%error, "login");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_signed", "The access token cannot be signed.")
    })?;
    let mut builder = HttpResponse::Ok();
    if cookie {
        builder.cookie(refresh_cookie(app, refresh.clone(), app.tokens.refresh_life_s()));
    }
    Ok(builder.json(Session {
        access_token,
        token_type: "Bearer",
        expires_in: app.tokens.access_life_s(),
        refresh_token: (!cookie).then_some(refresh),
        user: who(&identity),
    }))
}

fn refresh_cookie(app: &App, value: String, life_s: u64) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path(COOKIE_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(app.config.secure_cookie)
        .max_age(CookieDuration::seconds(i64::try_from(life_s).unwrap_or(i64::MAX)))
        .finish()
}

/// The refresh token of a request: from the body of a program or the cookie of the page. A request from
/// another site is refused even if a browser should send the cookie with it.
fn refresh_token(request: &HttpRequest, body: Body) -> Result<Option<(String, bool)>, Problem> {
    if let Some(token) = RefreshBody::read(body.0)? {
        return Ok(Some((token, false)));
    }
    let Some(cookie) = request.cookie(COOKIE) else { return Ok(None) };
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", "The request comes from another site."));
    }
    Ok(Some((cookie.value().to_owned(), true)))
}

/// Trades a refresh token for new tokens. A token used twice ends the whole login.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshBody, responses(
    (status = 200, body = Session), (status = 401, description = "Unknown, expired, revoked or used twice"),
))]
pub async fn refresh(app: Shared, from: Origin, request: HttpRequest, body: Body) -> Answered {
    let (old, cookie) = refresh_token(&request, body)?.ok_or_else(Problem::unauthenticated)?;
    let now = app.now();
    let (token, hash) = Tokens::new_refresh()?;
    let new = NewRefresh { hash, expires: app.tokens.refresh_expires(now) };
    match app.deps.sessions.rotate(Tokens::refresh_hash(&old), new, now).await? {
        Rotation::Rotated { user, family } => match app.deps.users.by_id(user).await? {
            Some(user) if !user.disabled => session(&app, &user, family, token, cookie),
            Some(_) | None => {
                app.deps.sessions.revoke(hash, now).await?;
                Err(Problem::unauthenticated())
            }
        },
        Rotation::Reused { user, family } => {
            app.revoked.add(family, app.tokens.access_expires(now), now);
            app.audit(AuditAction::RefreshReused, Some(user), "", &from);
            Err(Problem::unauthenticated())
        }
        Rotation::Unknown => Err(Problem::unauthenticated()),
    }
}

/// Ends the login: its refresh token and its access tokens.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", request_body = RefreshBody,
    responses((status = 204, description = "Done, also when there was no login")))]
pub async fn logout(app: Shared, from: Origin, request: HttpRequest, body: Body) -> Answered {
    let now = app.now();
    if let Some((token, _)) = refresh_token(&request, body)?
        && let Some(family) = app.deps.sessions.revoke(Tokens::refresh_hash(&token), now).await?
    {
        app.revoked.add(family, app.tokens.access_expires(now), now);
        app.audit(AuditAction::Logout, None, "", &from);
    }
    Ok(HttpResponse::NoContent().cookie(refresh_cookie(&app, String::new(), 0)).finish())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth", responses((status = 200, body = Me)))]
pub async fn me(caller: Caller) -> Answered {
    Ok(crate::http::ok(&who(&caller.0)))
}

/// A single-use ticket for the WebSocket.
#[utoipa::path(post, path = "/api/v1/auth/ticket", tag = "auth", responses((status = 200, body = Ticket)))]
pub async fn ticket(app: Shared, caller: Caller) -> Answered {
    let ticket = app.tickets.issue(caller.0.as_ref().clone(), app.now())?;
    Ok(crate::http::ok(&Ticket { ticket, expires_in: app.config.auth.ticket_life.as_secs() }))
}

/// Whether the installation still needs its first administrator.
#[utoipa::path(get, path = "/api/v1/auth/setup", tag = "auth", responses((status = 200, body = SetupState)))]
pub async fn setup_state(app: Shared) -> Answered {
    Ok(crate::http::ok(&SetupState { needed: app.deps.setup.is_open() }))
}

/// Creates the first administrator, with the token of the link printed on the console.
#[utoipa::path(post, path = "/api/v1/auth/setup", tag = "auth", request_body = Setup, responses(
    (status = 201, body = Me), (status = 403, description = "The link is wrong or was used"),
))]
pub async fn setup(app: Shared, from: Origin, body: Body) -> Answered {
    let Setup { token, name, password } = Setup::read(body.0)?;
    let wrong = || Problem::new(StatusCode::FORBIDDEN, "setup_link", "The link is wrong or was used before.");
    if let Verdict::Wait { seconds } = app.address_throttle.check(&from.address, app.now()) {
        return Err(Problem::throttled(seconds));
    }
    if !app.deps.setup.fits(&token) {
        app.address_throttle.fail(&from.address, app.now());
        return Err(wrong());
    }
    let password_hash = app.hashes.hash(password).await?;
    let user = NewUser { name: name.clone(), role: Role::Admin, password_hash };
    let id: UserId = match app.deps.users.create_first(user).await {
        Ok(id) => id,
        Err(CreateUserError::NameTaken | CreateUserError::NotFirst) => {
            app.deps.setup.spend();
            return Err(wrong());
        }
        Err(CreateUserError::Store(error)) => return Err(error.into()),
    };
    app.deps.setup.spend();
    app.audit(AuditAction::FirstAdminCreated, Some(id), &name, &from);
    Ok(HttpResponse::Created().json(Me { id: id.0, name, role: Role::Admin.word() }))
}
