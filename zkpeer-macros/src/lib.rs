//! The attributes of `zkpeer-core`.

use proc_macro::TokenStream;

macro_rules! attributes {
    ($($name:ident)*) => {$(
        /// In the making.
        #[proc_macro_attribute]
        pub fn $name(_arguments: TokenStream, item: TokenStream) -> TokenStream {
            item
        }
    )*};
}
attributes! { action collect_metrics hook meter_status_changed not_unless only_once when when_all when_any when_file_changed when_none when_not when_not_all }

/// In the making.
#[proc_macro]
pub fn flag(input: TokenStream) -> TokenStream {
    input
}
/// In the making.
#[proc_macro]
pub fn handlers(input: TokenStream) -> TokenStream {
    input
}
/// In the making.
#[proc_macro]
pub fn interfaces(input: TokenStream) -> TokenStream {
    input
}
