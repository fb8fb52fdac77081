# Stands before a step that changes something: it refuses where the host's lock is not its operation's any more.
# Arguments: the cluster's folder, the operation, `-` for none; the step's own arguments follow.
guarded=''
if [ "$2" != - ]; then
	{ read -r _ _ _ _ guarded _ <"$1/lock"; } 2>/dev/null
	if [ "$guarded" != "$2" ]; then
		say fail "the lock of this host is not held by this operation any more"
		exit 1
	fi
fi
shift 2
