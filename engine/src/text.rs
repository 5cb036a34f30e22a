//! Short text with a fixed place in memory, so that records stay `Copy` and the order path never allocates.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// UTF-8 text of at most `N` bytes, stored in line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

/// The text does not fit into its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text of {len} bytes is longer than the {max} bytes this field holds")]
pub struct TextTooLong {
    pub len: usize,
    pub max: usize,
}

impl<const N: usize> Text<N> {
    pub const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// Parses `raw`; a longer text is refused, never cut.
    pub fn new(raw: &str) -> Result<Self, TextTooLong> {
        const { assert!(N <= u8::MAX as usize, "the length is kept in one byte") };
        if raw.len() > N {
            return Err(TextTooLong { len: raw.len(), max: N });
        }
        let mut bytes = [0; N];
        bytes[..raw.len()].copy_from_slice(raw.as_bytes());
        Ok(Self { bytes, len: raw.len() as u8 })
    }

    /// Keeps as much of `raw` as fits, cut at a character border. Only for words shown to people
    /// (a venue's remark), never for identifiers.
    #[must_use]
    pub fn cut(raw: &str) -> Self {
        let mut end = raw.len().min(N);
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        match Self::new(&raw[..end]) {
            Ok(text) => text,
            Err(_) => Self::EMPTY,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match core::str::from_utf8(&self.bytes[..usize::from(self.len)]) {
            Ok(text) => text,
            Err(_) => unreachable!("Invariant: only whole UTF-8 text enters a Text"),
        }
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = TextTooLong;
    fn from_str(raw: &str) -> Result<Self, TextTooLong> {
        Self::new(raw)
    }
}

impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, const N: usize> Deserialize<'de> for Text<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;
        impl<const N: usize> serde::de::Visitor<'_> for Visitor<N> {
            type Value = Text<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "text of at most {N} bytes")
            }
            fn visit_str<E: serde::de::Error>(self, raw: &str) -> Result<Text<N>, E> {
                Text::new(raw).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor::<N>)
    }
}
