//! Combinations of several hosts, systemd, accounts and reboots, in one lab that is kept up (see tests/combinations).

use super::{Combination, Lab, faults};
use crate::combinations;

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn combinations_on_hosts() {
    // The cases choose runner and account themselves: once is enough.
    let (turn, lab) = (Combination::get(), Lab::get());
    if turn.account != "zeek" || turn.runner != "process" || !lab.zeek().simulated {
        return;
    }
    // The one that the tests of faults share has the same ports.
    faults::stand_down();
    combinations::on_hosts(&lab);
}
