//! Stores in memory.

use argonaut_engine::ids::{ClOrdId, UserId};
use argonaut_engine::order::Order;
use argonaut_engine::units::Nanos;
use argonaut_gateway::auth::Role;
use argonaut_gateway::ports::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemUsers {
    pub rows: Mutex<Vec<User>>,
}

impl MemUsers {
    pub fn add(&self, name: &str, role: Role, password_hash: &str) -> UserId {
        let mut rows = self.rows.lock().unwrap();
        let id = UserId(rows.len() as u32 + 1);
        let password_hash = password_hash.to_owned();
        rows.push(User { id, name: name.into(), role, password_hash, disabled: false });
        id
    }
}

impl UserStore for MemUsers {
    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(self.rows.lock().unwrap().len() as u64) })
    }
    fn by_name<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<User>, StoreError>> {
        Box::pin(async move { Ok(self.rows.lock().unwrap().iter().find(|user| user.name == name).cloned()) })
    }
    fn by_id(&self, id: UserId) -> BoxFuture<'_, Result<Option<User>, StoreError>> {
        Box::pin(async move { Ok(self.rows.lock().unwrap().iter().find(|user| user.id == id).cloned()) })
    }
    fn create_first(&self, user: NewUser) -> BoxFuture<'_, Result<UserId, CreateUserError>> {
        Box::pin(async move {
            if !self.rows.lock().unwrap().is_empty() {
                return Err(CreateUserError::NotFirst);
            }
            Ok(self.add(&user.name, user.role, &user.password_hash))
        })
    }
}

struct Token {
    family: FamilyId,
    user: UserId,
    expires: Nanos,
    used: bool,
}

#[derive(Default)]
pub struct MemSessions {
    tokens: Mutex<BTreeMap<TokenHash, Token>>,
}

impl SessionStore for MemSessions {
    fn open(
        &self,
        family: FamilyId,
        user: UserId,
        first: NewRefresh,
        _: Nanos,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let token = Token { family, user, expires: first.expires, used: false };
            self.tokens.lock().unwrap().insert(first.hash, token);
            Ok(())
        })
    }
    fn rotate(&self, old: TokenHash, new: NewRefresh, now: Nanos) -> BoxFuture<'_, Result<Rotation, StoreError>> {
        Box::pin(async move {
            let mut tokens = self.tokens.lock().unwrap();
            let Some(token) = tokens.get_mut(&old) else { return Ok(Rotation::Unknown) };
            let (user, family) = (token.user, token.family);
            if token.used {
                tokens.retain(|_, token| token.family != family);
                return Ok(Rotation::Reused { user, family });
            }
            if token.expires <= now {
                return Ok(Rotation::Unknown);
            }
            token.used = true;
            tokens.insert(new.hash, Token { family, user, expires: new.expires, used: false });
            Ok(Rotation::Rotated { user, family })
        })
    }
    fn revoke(&self, token: TokenHash, _: Nanos) -> BoxFuture<'_, Result<Option<FamilyId>, StoreError>> {
        Box::pin(async move {
            let mut tokens = self.tokens.lock().unwrap();
            let family = tokens.get(&token).map(|token| token.family);
            if let Some(family) = family {
                tokens.retain(|_, token| token.family != family);
            }
            Ok(family)
        })
    }
}

#[derive(Default)]
pub struct MemAudit {
    pub entries: Mutex<Vec<AuditEntry>>,
}

impl AuditSink for MemAudit {
    fn record(&self, entry: AuditEntry) {
        self.entries.lock().unwrap().push(entry);
    }
}

#[derive(Default)]
pub struct MemArchive {
    pub orders: Mutex<Vec<Order>>,
    pub executions: Mutex<Vec<PlacedExecution>>,
    pub broken: std::sync::atomic::AtomicBool,
}

impl MemArchive {
    fn check(&self) -> Result<(), StoreError> {
        match self.broken.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(StoreError("disk on fire, table users".into())),
            false => Ok(()),
        }
    }
}

impl Archive for MemArchive {
    fn order(&self, id: ClOrdId) -> BoxFuture<'_, Result<Option<Order>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            Ok(self.orders.lock().unwrap().iter().find(|order| order.cl_ord_id == id).copied())
        })
    }
    fn orders(
        &self,
        query: OrderQuery,
        before: Option<ClOrdId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Order>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            let orders = self.orders.lock().unwrap();
            let mut found: Vec<Order> = orders
                .iter()
                .filter(|order| query.matches(order) && before.is_none_or(|before| order.cl_ord_id < before))
                .copied()
                .collect();
            found.sort_by_key(|order| std::cmp::Reverse(order.cl_ord_id));
            found.truncate(limit);
            Ok(found)
        })
    }
    fn executions(
        &self,
        query: ExecutionQuery,
        before: Option<OutputPlace>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<PlacedExecution>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            let rows = self.executions.lock().unwrap();
            let wanted = |row: &&PlacedExecution| {
                query.matches(&row.execution) && before.is_none_or(|before| row.place < before)
            };
            Ok(rows.iter().rev().filter(wanted).take(limit).copied().collect())
        })
    }
    fn equity(&self, _: Nanos, _: Nanos, _: usize) -> BoxFuture<'_, Result<Vec<EquityPoint>, StoreError>> {
        Box::pin(async { self.check().map(|()| Vec::new()) })
    }
}
