# Stands before a step that changes something: it refuses where the host's lock is not its operation's any more, and
# where it comes so late that nobody waits for it (a cut network delivers what was sent into it when it is back).
# Arguments: the cluster's folder, the operation, the seconds since boot at which it has to begin at the latest; the
# step's own arguments follow. Its input may come later than its script, from a clusterctl that stood still in between:
# a step that reads some asks once more when it has it.
guarded_home=$1 guarded_by=$2 guarded_until=$3
# Is the host's lock still its operation's?
held() {
	guarded=''
	{ read -r _ _ _ _ guarded _ <"$guarded_home/lock"; } 2>/dev/null
	[ "$guarded" = "$guarded_by" ]
}
not_held="the lock of this host is not held by this operation any more"
ours() {
	if ! held; then
		say guard lock
		say fail "$not_held"
		return 1
	fi
	read -r guarded _ </proc/uptime
	if [ "${guarded%%.*}" -gt "$guarded_until" ]; then
		say guard late "$guarded"
		say fail "the step arrived too late and was skipped"
		return 1
	fi
}
ours || exit 1
# In place: on a full disk too. Only the first line counts.
{ printf '%s\n' "$2" 1<>"$1/operation"; } 2>/dev/null
shift 3
