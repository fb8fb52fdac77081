//! The runner `process`: one tiny supervisor for each node.

use std::time::Duration;

use super::{Folders, MARGIN};
use crate::transport::Call;

const START: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/process-start.sh"),
    include_str!("../../templates/start.sh")
);
const STOP: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/process-stop.sh")
);

pub(super) fn start(folders: &Folders, nodes: &[(String, String)], ready: Duration) -> Call<'static> {
    let input: String = nodes.iter().map(|(node, release)| format!("{node} {release}\n")).collect();
    Call::new(START, ready + MARGIN)
        .arg(&folders.home)
        .arg(&folders.spool)
        .arg(ready.as_secs().max(1).to_string())
        .input(input)
}

pub(super) fn stop(folders: &Folders, nodes: &[String], deadline: Duration) -> Call<'static> {
    let input: String = nodes.iter().map(|node| format!("{node}\n")).collect();
    Call::new(STOP, deadline + MARGIN).arg(&folders.spool).arg(deadline.as_secs().max(1).to_string()).input(input)
}
