//! The attributes of `zkpeer-core`.
