//! Columns of a row as the types they were before they became columns.

use super::sqlite::Row;
use argonaut_engine::units::Nanos;
use sqlx::Row as _;

pub(super) struct Get<'r>(pub &'r Row);

impl Get<'_> {
    pub fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        self.0.try_get(column)
    }
    pub fn maybe_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        self.0.try_get(column)
    }
    /// A number as it stands.
    pub fn int(&self, column: &str) -> Result<i64, sqlx::Error> {
        self.0.try_get(column)
    }
    /// A counter of 64 unsigned bits.
    pub fn id(&self, column: &str) -> Result<u64, sqlx::Error> {
        Ok(self.int(column)?.cast_unsigned())
    }
    /// A counter that is known to be smaller.
    pub fn small<T: TryFrom<i64>>(&self, column: &str) -> Result<T, sqlx::Error> {
        narrow(column, self.int(column)?)
    }
    pub fn maybe_small<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, sqlx::Error> {
        let value: Option<i64> = self.0.try_get(column)?;
        value.map(|value| narrow(column, value)).transpose()
    }
    pub fn ts(&self, column: &str) -> Result<Nanos, sqlx::Error> {
        self.small(column).map(Nanos::from_raw)
    }
    pub fn maybe_ts(&self, column: &str) -> Result<Option<Nanos>, sqlx::Error> {
        Ok(self.maybe_small(column)?.map(Nanos::from_raw))
    }
    pub fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
        Ok(self.int(column)? != 0)
    }
}

fn narrow<T: TryFrom<i64>>(column: &str, value: i64) -> Result<T, sqlx::Error> {
    T::try_from(value).map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("{value} is out of range").into(),
    })
}
