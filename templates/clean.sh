# Becomes a command in an environment that has nothing of a session's, an operator's shell's or a service manager's, but
# for PATH, in which scripts look for their tools. The account's name and home are the system's.
cleanly() {
	umask 022
	account=$(id -un 2>/dev/null) where=''
	case $account in
	'' | *[!A-Za-z0-9._-]*) ;;
	*) eval "where=~$account" ;;
	esac
	case $where in
	/*) ;;
	*) where=${HOME:-/} ;;
	esac
	exec env -i PATH="$PATH" HOME="$where" USER="$account" LOGNAME="$account" LC_ALL=C "$@"
}
