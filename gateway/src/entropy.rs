//! The one place that draws entropy: signing keys, salts, refresh tokens, tickets, setup links.

/// The operating system has no entropy to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoEntropy;

/// `N` random bytes from the operating system.
///
/// # Errors
/// When the operating system refuses; nothing secret may then be made.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// 256 random bits as 64 hexadecimal digits: a secret that fits into a link, a header or a cookie.
///
/// # Errors
/// As [`random`].
pub fn secret() -> Result<String, NoEntropy> {
    Ok(hex(&random::<32>()?))
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
