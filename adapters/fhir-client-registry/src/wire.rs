//! Their JSON where it is no Patient, Group or RelatedPerson: the operation `$ihe-pix`, messages, and
//! who sent us one.

pub mod feed;
pub(crate) mod pixm;
pub mod sender;
