//! The models as a whole: their fields are those of the API, and what they write they read back.
//!
//! Both tests use the models through serde alone, by two deserializers of their own: `probe` offers every field once and
//! notes names and types, `random` makes up documents from bytes. So a new field or kind is covered without a change here.

mod emit;
mod inventory;
mod probe;
mod random;
mod round_trip;
mod typed;
mod validation;
