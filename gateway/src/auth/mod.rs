//! Who may do what: passwords, access tokens, refresh tokens, tickets, throttling, first-run setup.

mod known;
mod limits;
pub mod password;
mod revoked;
mod setup;
mod ticket;
mod token;

pub use known::KnownTokens;
pub use limits::{Throttle, Verdict};
pub use password::{HashPool, PasswordFault, hash_password, name_well_formed, password_faults};
pub use revoked::Revoked;
pub use setup::SetupToken;
pub use ticket::Tickets;
pub use token::{SigningKey, Tokens};

use crate::dto::words::Word;
use argonaut_engine::ids::UserId;

/// What a user may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Places orders and runs strategies.
    Trader,
    /// Changes limits, re-arms breakers.
    Admin,
}

impl Word for Role {
    const ALL: &'static [Self] = &[Self::Viewer, Self::Trader, Self::Admin];
    fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::Admin => "admin",
        }
    }
}

/// The user behind a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub user: UserId,
    pub name: String,
    pub role: Role,
    pub family: crate::ports::FamilyId,
    /// When the access token ends.
    pub expires: argonaut_engine::units::Nanos,
}
