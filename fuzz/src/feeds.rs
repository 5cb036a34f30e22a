//! What must hold for any bytes in the place of a market data file or of its declaration. The first byte
//! chooses the layout. The same functions run seeded in `research/tests/mutation.rs`.

use argonaut_research::feed::probe;

/// Rows of a CSV file: quotes, trades or bars in several timestamp formats.
pub fn csv(data: &[u8]) {
    if let Some((layout, bytes)) = data.split_first() {
        let _ = probe::csv(*layout, bytes);
    }
}

/// Rows of a LEAN file: every security, resolution and kind of data.
pub fn lean(data: &[u8]) {
    if let Some((layout, bytes)) = data.split_first() {
        let _ = probe::lean(*layout, bytes);
    }
}

/// A feed or a schedule of hours as JSON.
pub fn declaration(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = probe::declaration(text);
    }
}
