//! That a wrong interpreter is found.
