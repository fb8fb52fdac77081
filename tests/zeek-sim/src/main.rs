//! The program `zeek-sim`, which is started as `PREFIX/bin/zeek`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args();
    let program = args.next().unwrap_or_else(|| "zeek".into());
    ExitCode::from(zeek_sim::start::run(program, &args.collect::<Vec<_>>()))
}
