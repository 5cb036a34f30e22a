//! Reading what clients send: every fault of a body or query is found and named at once.

mod node;
mod query;
mod reader;

pub use node::{Node, parse};
pub use query::Query;
pub use reader::{Reader, cut, unit_fault};

use serde::Serialize;
use utoipa::ToSchema;

/// One fault of one field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Fault {
    /// Path of the field, for example `params.fast`; empty for the body as a whole.
    #[schema(example = "qty")]
    pub field: String,
    /// Stable code: `missing`, `unknown`, `twice`, `wrong_type`, `not_allowed`, `out_of_range`, `not_a_number`,
    /// `too_precise`, `too_long`, `empty`, `not_json`.
    #[schema(example = "too_precise")]
    pub code: &'static str,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

impl Fault {
    #[must_use]
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

/// All faults of one input, never empty.
pub type Faults = Vec<Fault>;
