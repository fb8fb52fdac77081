# Runs a command. Arguments: the cluster's folder, the spool folder, after how many seconds it is ended, how many bytes of
# each of its outputs are told, a node in whose folder and environment it runs (`-`: none), the names of variables that it
# may have of that, with blanks around each; then the command. Input: nothing; it ends with it, so that nothing goes on
# of which nobody waits for the end.
# Answers: `out LINE`, `err LINE`, `exit STATUS`; `lacks` where there is no such node.
home=$1 spool=$2 seconds=$3 most=$4 node=$5 plain=$6
shift 6
if [ "$node" != - ]; then
	dir=$spool/nodes/$node release=''
	{ while read -r key value; do
		[ "$key" = release ] && release=$value
	done <"$dir/run"; } 2>/dev/null
	release=$home/releases/$release
	[ -f "$release/start/$node" ] || { cd -P "$home/current" 2>/dev/null && release=$PWD; }
	if [ ! -f "$release/start/$node" ] || ! cd "$dir" 2>/dev/null; then
		say lacks
		exit 0
	fi
	zeekpath=''
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"zeekpath "*) zeekpath=$value ;;
		"env "*)
			case $plain in
			*" ${value%%=*} "*) set -- "$value" "$@" ;;
			esac
			;;
		esac
	done <"$release/start/$node"
	set -- env -i "HOME=${HOME:-/}" LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"ZEEKPATH=$release/site:$home/data:$release:$zeekpath" "$@"
else
	cd || cd /
fi 2>/dev/null
command -v timeout >/dev/null 2>&1 && set -- timeout -k 5 "$seconds" "$@"
exec 8<&0 9>&1
told() {
	head -c "$most"
	cat >/dev/null
}
# What goes to 9 is the answer, to 5 the status, and to 4 what the command writes on stderr, which is said when its stdout
# has been: two who write at the same time would write into each other's lines.
trap - EXIT
code=$(
	{
		err=$(
			{
				{
					"$@" </dev/null 2>&4 4>&- 5>&- 8<&- 9>&- &
					child=$!
					# A process of its own keeps none of our pipes open. A timeout(1) that has just begun would end
					# without its command.
					# shellcheck disable=SC2016
					sh -c 'cat; sleep 1; kill -TERM "$1"' sh "$child" <&8 >/dev/null 2>&1 4>&- 5>&- 8<&- 9>&- &
					watch=$!
					wait "$child"
					status=$?
					kill "$watch" 2>/dev/null
					echo "$status" >&5
				} 2>/dev/null | told | sed "s/^/$T out /" >&9
				echo >&9
			} 4>&1 | told | tr -d '\0'
		)
		[ -z "$err" ] || printf '%s\n' "$err" | sed "s/^/$T err /" >&9
	} 5>&1
)
say exit "$code"
trap 'echo "$T end $?"' EXIT
exit 0
