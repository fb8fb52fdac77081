//! The runner `process`: one tiny supervisor for each node.

/// Starts nodes.
pub(super) const START: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/units.sh"),
    include_str!("../../templates/process-start.sh"),
    include_str!("../../templates/start.sh")
);
