//! Little-endian primitives: a writer that never allocates and a reader that never panics.

use super::{DecodeError, DecodeFault};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};

/// Writes into a fixed buffer. Past its end nothing is written and only counted, so that the caller
/// learns how much room is needed.
pub(super) struct Put<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Put<'a> {
    #[inline(always)]
    pub(super) fn new(out: &'a mut [u8], at: usize) -> Self {
        Self { out, at }
    }
    /// Bytes written, or wanted when more than the buffer holds.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.at
    }
    #[inline(always)]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        let end = self.at + N;
        if let Some(slot) = self.out.get_mut(self.at..end) {
            slot.copy_from_slice(&bytes);
        }
        self.at = end;
    }
    #[inline(always)]
    pub(super) fn u8(&mut self, value: u8) {
        self.array([value]);
    }
    #[inline(always)]
    pub(super) fn u16(&mut self, value: u16) {
        self.array(value.to_le_bytes());
    }
    #[inline(always)]
    pub(super) fn u32(&mut self, value: u32) {
        self.array(value.to_le_bytes());
    }
    #[inline(always)]
    pub(super) fn u64(&mut self, value: u64) {
        self.array(value.to_le_bytes());
    }
    #[inline(always)]
    pub(super) fn i64(&mut self, value: i64) {
        self.array(value.to_le_bytes());
    }
    #[inline(always)]
    pub(super) fn i128(&mut self, value: i128) {
        self.array(value.to_le_bytes());
    }
    #[inline(always)]
    pub(super) fn px(&mut self, value: Px) {
        self.i64(value.raw());
    }
    #[inline(always)]
    pub(super) fn qty(&mut self, value: Qty) {
        self.i64(value.raw());
    }
    #[inline(always)]
    pub(super) fn signed_qty(&mut self, value: SignedQty) {
        self.i64(value.raw());
    }
    #[inline(always)]
    pub(super) fn notional(&mut self, value: Notional) {
        self.i128(value.raw());
    }
    #[inline(always)]
    pub(super) fn nanos(&mut self, value: Nanos) {
        self.u64(value.raw());
    }
    #[inline(always)]
    pub(super) fn span(&mut self, value: Span) {
        self.u64(value.nanos());
    }
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        if let Some(slot) = self.out.get_mut(self.at..end) {
            slot.copy_from_slice(bytes);
        }
        self.at = end;
    }
    /// One byte of length, then the UTF-8 bytes.
    #[inline]
    pub(super) fn text<const N: usize>(&mut self, text: &Text<N>) {
        let bytes = text.as_bytes();
        // A `Text` keeps its length in one byte.
        self.u8(bytes.len() as u8);
        self.bytes(bytes);
    }
    pub(super) fn currency(&mut self, currency: Currency) {
        let code = currency.as_str().as_bytes();
        self.u8(code.len() as u8);
        self.bytes(code);
    }
    /// A field of the tagged layout: tag, length, and the bytes that `fill` writes.
    pub(super) fn field(&mut self, tag: u16, fill: impl FnOnce(&mut Self)) {
        self.u16(tag);
        let length_at = self.at;
        self.u32(0);
        let start = self.at;
        fill(self);
        // The bounds on lists keep every field far below 4 GiB.
        let length = (self.at - start) as u32;
        if let Some(slot) = self.out.get_mut(length_at..length_at + 4) {
            slot.copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// Reads a payload front to back; every read is checked.
#[derive(Clone)]
pub(super) struct Get<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Place of `bytes[0]` in the record, for error messages.
    base: usize,
}

impl<'a> Get<'a> {
    #[inline(always)]
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, at: 0, base }
    }
    /// Place in the record of the next byte.
    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.base + self.at
    }
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }
    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        DecodeError { offset: self.offset(), fault: DecodeFault::Truncated { needed, left: self.rest().len() } }
    }
    /// An error about the byte that was read last.
    #[cold]
    pub(super) fn bad_value(&self, width: usize, field: &'static str, value: u64) -> DecodeError {
        DecodeError { offset: self.offset() - width, fault: DecodeFault::Value { field, value } }
    }
    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>) {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N)),
        }
    }
    #[inline(always)]
    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }
    #[inline(always)]
    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }
    #[inline(always)]
    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }
    #[inline(always)]
    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }
    #[inline(always)]
    pub(super) fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_le_bytes)
    }
    #[inline(always)]
    pub(super) fn i128(&mut self) -> Result<i128, DecodeError> {
        self.array().map(i128::from_le_bytes)
    }
    #[inline(always)]
    pub(super) fn px(&mut self) -> Result<Px, DecodeError> {
        self.i64().map(Px::from_raw)
    }
    #[inline(always)]
    pub(super) fn qty(&mut self, field: &'static str) -> Result<Qty, DecodeError> {
        let raw = self.i64()?;
        Qty::try_from_raw(raw).map_err(|_| self.bad_value(8, field, raw as u64))
    }
    #[inline(always)]
    pub(super) fn signed_qty(&mut self) -> Result<SignedQty, DecodeError> {
        self.i64().map(SignedQty::from_raw)
    }
    #[inline(always)]
    pub(super) fn notional(&mut self) -> Result<Notional, DecodeError> {
        self.i128().map(Notional::from_raw)
    }
    #[inline(always)]
    pub(super) fn nanos(&mut self) -> Result<Nanos, DecodeError> {
        self.u64().map(Nanos::from_raw)
    }
    #[inline(always)]
    pub(super) fn span(&mut self) -> Result<Span, DecodeError> {
        self.u64().map(Span::from_nanos)
    }
    /// One byte that stands for one of a closed set.
    #[inline(always)]
    pub(super) fn code<T>(
        &mut self,
        field: &'static str,
        known: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let code = self.u8()?;
        known(code).ok_or_else(|| self.bad_value(1, field, u64::from(code)))
    }
    /// A byte of flags of which only those in `allowed` may be set.
    #[inline(always)]
    pub(super) fn flags(&mut self, field: &'static str, allowed: u8) -> Result<u8, DecodeError> {
        self.code(field, |flags| (flags & !allowed == 0).then_some(flags))
    }
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest().get(..len) {
            Some(bytes) => {
                self.at += len;
                Ok(bytes)
            }
            None => Err(self.truncated(len)),
        }
    }
    #[inline]
    pub(super) fn text<const N: usize>(&mut self, field: &'static str) -> Result<Text<N>, DecodeError> {
        let offset = self.offset();
        let len = usize::from(self.u8()?);
        let bytes = self.take(len)?;
        core::str::from_utf8(bytes)
            .ok()
            .and_then(|raw| Text::new(raw).ok())
            .ok_or(DecodeError { offset, fault: DecodeFault::Text { field } })
    }
    pub(super) fn currency(&mut self, field: &'static str) -> Result<Currency, DecodeError> {
        let offset = self.offset();
        let code: Text<5> = self.text(field)?;
        Currency::new(code.as_str()).map_err(|_| DecodeError { offset, fault: DecodeFault::Text { field } })
    }
    /// The next field of the tagged layout; `None` at the end of the payload. Tags start at one, so the
    /// record's zero padding cannot be taken for a field.
    pub(super) fn field(&mut self) -> Result<Option<(u16, Get<'a>)>, DecodeError> {
        let rest = self.rest();
        if rest.len() < super::ALIGN && rest.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let tag = self.u16()?;
        let length = self.u32()? as usize;
        let base = self.offset();
        let bytes = self.take(length)?;
        Ok(Some((tag, Get::new(bytes, base))))
    }
    /// Nothing may be left of a field.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        match self.rest().len() {
            0 => Ok(()),
            left => Err(DecodeError { offset: self.offset(), fault: DecodeFault::Trailing { left } }),
        }
    }
}

/// Names the byte that stands for each variant of an enum. The match over variants has no wildcard, so a
/// new variant does not compile before it has a code.
macro_rules! codes {
    ($($(#[$doc:meta])* $encode:ident, $decode:ident: $Type:ty { $($Variant:ident = $code:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(super) const fn $encode(value: $Type) -> u8 {
            match value { $(<$Type>::$Variant => $code,)+ }
        }
        #[inline(always)]
        pub(super) const fn $decode(code: u8) -> Option<$Type> {
            match code { $($code => Some(<$Type>::$Variant),)+ _ => None }
        }
    )+};
}
pub(super) use codes;
