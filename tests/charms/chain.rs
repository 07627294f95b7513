//! A chain of 100 flags: each handler waits for one and sets the next.

use zkpeer_core::{Flags, when, when_not};

macro_rules! links {
    ($($name:ident $waits:literal $sets:literal)*) => {$(
        #[when($waits)]
        #[when_not($sets)]
        fn $name(flags: Flags) {
            flags.set($sets);
        }
    )*};
}

#[when_not("chain.0")]
fn link_0(flags: Flags) {
    flags.set("chain.0");
}

links! {
    link_1 "chain.0" "chain.1"
    link_2 "chain.1" "chain.2"
    link_3 "chain.2" "chain.3"
    link_4 "chain.3" "chain.4"
    link_5 "chain.4" "chain.5"
    link_6 "chain.5" "chain.6"
    link_7 "chain.6" "chain.7"
    link_8 "chain.7" "chain.8"
    link_9 "chain.8" "chain.9"
    link_10 "chain.9" "chain.10"
    link_11 "chain.10" "chain.11"
    link_12 "chain.11" "chain.12"
    link_13 "chain.12" "chain.13"
    link_14 "chain.13" "chain.14"
    link_15 "chain.14" "chain.15"
    link_16 "chain.15" "chain.16"
    link_17 "chain.16" "chain.17"
    link_18 "chain.17" "chain.18"
    link_19 "chain.18" "chain.19"
    link_20 "chain.19" "chain.20"
    link_21 "chain.20" "chain.21"
    link_22 "chain.21" "chain.22"
    link_23 "chain.22" "chain.23"
    link_24 "chain.23" "chain.24"
    link_25 "chain.24" "chain.25"
    link_26 "chain.25" "chain.26"
    link_27 "chain.26" "chain.27"
    link_28 "chain.27" "chain.28"
    link_29 "chain.28" "chain.29"
    link_30 "chain.29" "chain.30"
    link_31 "chain.30" "chain.31"
    link_32 "chain.31" "chain.32"
    link_33 "chain.32" "chain.33"
    link_34 "chain.33" "chain.34"
    link_35 "chain.34" "chain.35"
    link_36 "chain.35" "chain.36"
    link_37 "chain.36" "chain.37"
    link_38 "chain.37" "chain.38"
    link_39 "chain.38" "chain.39"
    link_40 "chain.39" "chain.40"
    link_41 "chain.40" "chain.41"
    link_42 "chain.41" "chain.42"
    link_43 "chain.42" "chain.43"
    link_44 "chain.43" "chain.44"
    link_45 "chain.44" "chain.45"
    link_46 "chain.45" "chain.46"
    link_47 "chain.46" "chain.47"
    link_48 "chain.47" "chain.48"
    link_49 "chain.48" "chain.49"
    link_50 "chain.49" "chain.50"
    link_51 "chain.50" "chain.51"
    link_52 "chain.51" "chain.52"
    link_53 "chain.52" "chain.53"
    link_54 "chain.53" "chain.54"
    link_55 "chain.54" "chain.55"
    link_56 "chain.55" "chain.56"
    link_57 "chain.56" "chain.57"
    link_58 "chain.57" "chain.58"
    link_59 "chain.58" "chain.59"
    link_60 "chain.59" "chain.60"
    link_61 "chain.60" "chain.61"
    link_62 "chain.61" "chain.62"
    link_63 "chain.62" "chain.63"
    link_64 "chain.63" "chain.64"
    link_65 "chain.64" "chain.65"
    link_66 "chain.65" "chain.66"
    link_67 "chain.66" "chain.67"
    link_68 "chain.67" "chain.68"
    link_69 "chain.68" "chain.69"
    link_70 "chain.69" "chain.70"
    link_71 "chain.70" "chain.71"
    link_72 "chain.71" "chain.72"
    link_73 "chain.72" "chain.73"
    link_74 "chain.73" "chain.74"
    link_75 "chain.74" "chain.75"
    link_76 "chain.75" "chain.76"
    link_77 "chain.76" "chain.77"
    link_78 "chain.77" "chain.78"
    link_79 "chain.78" "chain.79"
    link_80 "chain.79" "chain.80"
    link_81 "chain.80" "chain.81"
    link_82 "chain.81" "chain.82"
    link_83 "chain.82" "chain.83"
    link_84 "chain.83" "chain.84"
    link_85 "chain.84" "chain.85"
    link_86 "chain.85" "chain.86"
    link_87 "chain.86" "chain.87"
    link_88 "chain.87" "chain.88"
    link_89 "chain.88" "chain.89"
    link_90 "chain.89" "chain.90"
    link_91 "chain.90" "chain.91"
    link_92 "chain.91" "chain.92"
    link_93 "chain.92" "chain.93"
    link_94 "chain.93" "chain.94"
    link_95 "chain.94" "chain.95"
    link_96 "chain.95" "chain.96"
    link_97 "chain.96" "chain.97"
    link_98 "chain.97" "chain.98"
    link_99 "chain.98" "chain.99"
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
