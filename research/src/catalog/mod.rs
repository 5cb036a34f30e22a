//! Argonaut's own market data files: one series in fixed-size little-endian records.
//!
//! ```text
//! header, 128 bytes
//!   0  8  magic "ARGODATA"
//!   8  2  version, 1
//!  10  1  kind: 1 quotes, 2 trades, 3 bars of trades, 4 bars of mid prices
//!  11  1  flags: bit 0 crossed quotes, 1 trades of size zero, 2 prices that are not positive
//!  12  4  bytes of one record
//!  16  8  count of records
//!  24  8  timestamp of the first record (a bar's close), ns UTC since 1970
//!  32  8  timestamp of the last record
//!  40  8  price step: every price is a multiple of it, in 1e-9
//!  48 24  symbol, UTF-8, filled with zeros
//!  72  1  digits after the point of a price, 9
//!  73  1  digits after the point of a size, 8
//!  74  2  zero
//!  76  4  records in a block, 4096
//!  80 40  zero
//! 120  4  CRC-32C of the table of checksums
//! 124  4  CRC-32C of bytes 0..124
//! records, from byte 128
//!   quote, 40 bytes: ts u64, bid i64, ask i64, bid size i64, ask size i64
//!   trade, 32 bytes: ts u64, price i64, size i64, aggressor u8 (0 unknown, 1 buy, 2 sell), 7 zeros
//!   bar, 56 bytes: open ts u64, close ts u64, open i64, high i64, low i64, close i64, volume i64
//! table: CRC-32C u32 of each block of records
//! ```
//!
//! A file is written under another name and renamed when it is whole. `manifest.json` beside the files says
//! where each came from.

mod format;
mod import;
mod manifest;
mod read;
mod write;

pub use format::{Header, Kind};
pub use import::{Imported, import};
pub use manifest::{Entry, MANIFEST, Manifest};
pub use read::CatalogSource;
pub use write::CatalogWriter;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A file of the catalogue as a source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogSpec {
    pub path: PathBuf,
}
