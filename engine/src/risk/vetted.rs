//! The proof that an order has passed the gate.

/// A request that the gate has allowed. Only this module tree can make one: the field is private, there is
/// no public constructor, no conversion, no `Clone` and no `Deserialize`, so one judgement sends one
/// request at most once. The session takes it apart; nothing else can.
#[must_use = "the gate holds exposure for this request: send it or report it as denied"]
#[derive(Debug)]
pub struct Vetted<T> {
    request: T,
}

impl<T> Vetted<T> {
    pub(super) const fn new(request: T) -> Self {
        Self { request }
    }

    /// What was allowed.
    #[must_use]
    pub const fn get(&self) -> &T {
        &self.request
    }

    /// For the session, which turns it into a request to its venue.
    #[must_use]
    pub(crate) fn into_inner(self) -> T {
        self.request
    }
}

#[cfg(test)]
impl<T> Vetted<T> {
    /// For tests of the session: what a gate without limits would allow.
    pub(crate) const fn for_tests(request: T) -> Self {
        Self::new(request)
    }
}
