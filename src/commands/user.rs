//! `argonaut user`: logins from the command line. Works before the first run and beside a running engine.

mod prompt;

use super::{Exit, Failure, Place, print_json};
use crate::config::Fault;
use crate::wiring::recovery::Layout;
use crate::wiring::text::iso_time;
use argonaut_actors::clock::Clock;
use argonaut_engine::units::Nanos;
use argonaut_gateway::auth::{hash_password, name_well_formed, password_faults};
use argonaut_persistence::sql::{Access, AuditEntry, AuditResult, NewUser, Role, SqlFault, User, UserFault};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a login.
    Add(AddArgs),
    /// Give a login a new password and end its sessions.
    Passwd(PasswdArgs),
    /// List the logins.
    List(ListArgs),
}

#[derive(Args)]
pub struct AddArgs {
    /// Letters, digits and `._-@`, at most 64.
    name: String,
    /// What it may do.
    #[arg(long)]
    role: RoleArg,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct PasswdArgs {
    name: String,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct PasswordArgs {
    /// Read the password from standard input, one line, instead of asking at the terminal.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Looks.
    Viewer,
    /// Places orders and runs strategies.
    Trader,
    /// Changes limits and re-arms breakers.
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Trader => Self::Trader,
            RoleArg::Admin => Self::Admin,
        }
    }
}

pub fn user(command: &UserCommand, json: bool) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::new(Exit::Failed, fault))?;
    match command {
        UserCommand::Add(args) => add(args, &runtime, json),
        UserCommand::Passwd(args) => passwd(args, &runtime, json),
        UserCommand::List(args) => list(args, &runtime, json),
    }
}

fn add(args: &AddArgs, runtime: &tokio::runtime::Runtime, json: bool) -> Result<Exit, Failure> {
    let data = Data::open(&args.place, runtime)?;
    let password = read_password(&args.password)?;
    let taken = runtime.block_on(data.access.users.find(&args.name)).map_err(|fault| data.failed(&fault))?;
    let mut faults = faults_of(&args.name, &password);
    if let Some(user) = taken {
        faults.insert(0, fault("name", &args.name, format!("is taken by user {}", user.id)));
    }
    refuse(faults)?;
    let password_hash = hash_password(&password).map_err(|fault| Failure::new(Exit::Failed, fault))?;
    let role = Role::from(args.role);
    let made = runtime.block_on(async {
        let new = NewUser { name: &args.name, password_hash: &password_hash, role };
        let user = data.access.users.create(&new, data.now).await?;
        let after = json!({ "role": role.as_str() }).to_string();
        data.access.audit.append(&data.entry("user.add", &user, Some(after))).await?;
        data.access.close().await;
        Ok::<_, UserFault>(user)
    });
    let user = made.map_err(|fault| data.refused(&args.name, &fault))?;
    if json {
        print_json(&shown(&user));
    } else {
        println!("user {} ({}) is number {}", user.name, role.as_str(), user.id);
    }
    Ok(Exit::Done)
}

fn passwd(args: &PasswdArgs, runtime: &tokio::runtime::Runtime, json: bool) -> Result<Exit, Failure> {
    let data = Data::open(&args.place, runtime)?;
    let known = runtime.block_on(data.access.users.find(&args.name)).map_err(|fault| data.failed(&fault))?;
    let user = known.ok_or_else(|| refusal(vec![fault("name", &args.name, "is not known")]))?;
    let password = read_password(&args.password)?;
    refuse(faults_of(&user.name, &password))?;
    let password_hash = hash_password(&password).map_err(|fault| Failure::new(Exit::Failed, fault))?;
    let set = runtime.block_on(async {
        data.access.users.set_password(user.id, &password_hash, data.now).await?;
        data.access.audit.append(&data.entry("user.passwd", &user, None)).await?;
        data.access.close().await;
        Ok::<_, UserFault>(User { ts_password_changed: data.now, ts_updated: data.now, ..user })
    });
    let user = set.map_err(|fault| data.refused(&args.name, &fault))?;
    if json {
        print_json(&shown(&user));
    } else {
        println!("user {} has a new password; its sessions have ended", user.name);
    }
    Ok(Exit::Done)
}

fn list(args: &ListArgs, runtime: &tokio::runtime::Runtime, json: bool) -> Result<Exit, Failure> {
    let data = Data::open(&args.place, runtime)?;
    let users = runtime.block_on(data.access.users.list()).map_err(|fault| data.failed(&fault))?;
    runtime.block_on(data.access.close());
    if json {
        users.iter().for_each(|user| print_json(&shown(user)));
        return Ok(Exit::Done);
    }
    println!("{:>6}  {:<24} {:<7} {:<30} disabled", "number", "name", "role", "created");
    for user in &users {
        let disabled = user.ts_disabled.map_or_else(|| "-".to_owned(), iso_time);
        let created = iso_time(user.ts_created);
        println!("{:>6}  {:<24} {:<7} {created:<30} {disabled}", user.id.0, user.name, user.role.as_str());
    }
    Ok(Exit::Done)
}

/// What may be shown of a user: never the hash.
fn shown(user: &User) -> Value {
    json!({
        "id": user.id.0,
        "name": user.name,
        "role": user.role.as_str(),
        "created": iso_time(user.ts_created),
        "password_changed": iso_time(user.ts_password_changed),
        "disabled": user.ts_disabled.map(iso_time),
    })
}

/// The data folder's file of users.
struct Data {
    access: Access,
    layout: Layout,
    now: Nanos,
}

impl Data {
    /// Makes folder and file when they are not there yet.
    fn open(place: &Place, runtime: &tokio::runtime::Runtime) -> Result<Self, Failure> {
        let layout = Layout::of(&place.data_folder()?);
        layout.create()?;
        let access = runtime
            .block_on(Access::open(&layout.access()))
            .map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.access().display())))?;
        Ok(Self { access, layout, now: Clock::start().now() })
    }

    fn failed(&self, fault: &SqlFault) -> Failure {
        Failure::new(Exit::Data, format!("{}: {fault}", self.layout.access().display()))
    }

    /// Somebody else may have been quicker than our own checks.
    fn refused(&self, name: &str, fault: &UserFault) -> Failure {
        match fault {
            UserFault::Database(fault) => self.failed(fault),
            UserFault::NameTaken
            | UserFault::NameLength
            | UserFault::Unknown(_)
            | UserFault::LastAdmin
            | UserFault::NotFirst => refusal(vec![self::fault("name", name, fault)]),
        }
    }

    fn entry(&self, action: &str, user: &User, after: Option<String>) -> AuditEntry {
        AuditEntry {
            ts: self.now,
            user: None,
            user_name: String::new(),
            ip: String::new(),
            user_agent: "argonaut command line".to_owned(),
            request_id: String::new(),
            action: action.to_owned(),
            target: user.name.clone(),
            before: None,
            after,
            result: AuditResult::Ok,
            detail: String::new(),
        }
    }
}

fn read_password(args: &PasswordArgs) -> Result<String, Failure> {
    prompt::read(args.password_stdin).map_err(|fault| Failure::new(Exit::Usage, fault))
}

/// Every rule that name and password break. The password itself is never part of a message.
fn faults_of(name: &str, password: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !name_well_formed(name) {
        faults.push(fault("name", name, "may have letters, digits and ._-@, at most 64"));
    }
    faults.extend(password_faults(name, password).into_iter().map(|broken| fault("password", "", broken)));
    faults
}

fn fault(field: &str, value: &str, remedy: impl std::fmt::Display) -> Fault {
    Fault { field: field.to_owned(), value: value.to_owned(), remedy: remedy.to_string() }
}

fn refuse(faults: Vec<Fault>) -> Result<(), Failure> {
    if faults.is_empty() { Ok(()) } else { Err(refusal(faults)) }
}

fn refusal(faults: Vec<Fault>) -> Failure {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Failure { exit: Exit::Usage, text: lines.join("\n"), faults }
}
