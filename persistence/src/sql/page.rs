//! Lists that are read in pages: newest first, each page going on where the last one ended. New rows that
//! come in meanwhile never shift a page.

/// Rows that one page can hold.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    pub rows: Vec<T>,
    /// Ask again with this key for what is older; `None`: that was all.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// `rows` was asked for with one row more than fits, which tells whether there is more.
    pub(super) fn cut(mut rows: Vec<T>, limit_wanted: u32, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit(limit_wanted)).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { rows, next }
    }
}

/// At least one row, at most [`PAGE_ROWS_MAX`].
pub(super) fn limit(wanted: u32) -> i64 {
    i64::from(wanted.clamp(1, PAGE_ROWS_MAX))
}
