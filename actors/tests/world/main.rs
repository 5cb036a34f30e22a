//! The lane, its core, its followers and its supervised shells through their public surface.

mod deadlines;
mod idempotency;
mod inlets;
mod lane;
mod mailboxes;
mod poison;
mod recovery;
mod rig;
mod shells;
mod stops;
mod strategies;
