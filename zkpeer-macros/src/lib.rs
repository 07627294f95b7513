//! The attributes of `zkpeer-core`.
mod expand;
mod model;
mod parse;
mod pattern;
use parse::Kind;
use proc_macro::TokenStream;
macro_rules! attributes {
    ($($name:ident $kind:ident)*) => {$(
        /// In the making.
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            expand::attribute(Kind::$kind, arguments.into(), item.into()).into()
        }
    )*};
}
attributes! { action Action collect_metrics CollectMetrics hook Hook meter_status_changed MeterStatusChanged not_unless NotUnless only_once OnlyOnce when When when_all WhenAll when_any WhenAny when_file_changed WhenFileChanged when_none WhenNone when_not WhenNot when_not_all WhenNotAll }

/// In the making.
#[proc_macro]
pub fn flag(input: TokenStream) -> TokenStream {
    expand::flag_macro(input.into()).into()
}
/// In the making.
#[proc_macro]
pub fn handlers(input: TokenStream) -> TokenStream {
    expand::handlers_macro(input.into()).into()
}
/// In the making.
#[proc_macro]
pub fn interfaces(input: TokenStream) -> TokenStream {
    expand::interfaces_macro(input.into()).into()
}
