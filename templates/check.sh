# Parses a staged release with the real Zeek. Arguments: the cluster's folder, the release, the seconds that one Zeek may
# take, the seconds for all, `remove` to take the release away again where it does not run. Input: nodes, one a line.
# No port is opened: --parse-only runs no event.
home=$1 id=$2 each=$3 all=$4 remove=$5
release=$home/releases/$id
# Under the lock, so that these are left over.
rm -rf "$home"/check.*
work=$home/check.$$
mkdir "$work" "$work/n" || {
	say fail "can't make $work (is the disk full?)"
	exit 1
}
trap 'rm -rf "$work"; echo "$T end $?"' EXIT
trap 'exit 1' HUP INT TERM PIPE
seconds() {
	read -r now _ </proc/uptime
	now=${now%%.*}
}
seconds
limit=$((now + all))
check_one() {
	dir=$work/n/$node
	# Zeek that crashes is tried once more: that is no verdict on the scripts.
	for try in first last; do
		seconds
		deadline=$((limit - now))
		[ "$deadline" -gt "$each" ] && deadline=$each
		if [ "$deadline" -le 0 ]; then
			echo late >"$dir/code"
			return
		fi
		sh "$release/clusterctl/node.sh" parse "$home" "$dir" "$release" "$node" "$deadline" </dev/null >"$dir/stdout" 2>"$dir/stderr"
		code=$?
		echo "$code" >"$dir/code"
		case $code in
		13[1-6] | 139 | 159) [ "$try" = last ] || echo "$code" >"$dir/crashed" ;;
		*) return ;;
		esac
	done
}
# Each queue is worked off by one shell: at most one Zeek for each CPU, and four (each takes some hundred MiB).
at_once=$(nproc 2>/dev/null) || at_once=1
[ "$at_once" -gt 4 ] && at_once=4
count=0
while IFS= read -r node && [ -n "$node" ]; do
	mkdir "$work/n/$node" || exit 1
	printf '%s\n' "$node" >>"$work/queue.$((count % at_once))"
	printf '%s\n' "$node" >>"$work/nodes"
	count=$((count + 1))
done
for queue in "$work"/queue.*; do
	[ -f "$queue" ] || continue
	while IFS= read -r node; do
		check_one
	done <"$queue" &
done
wait
# Errors come last, after any number of warnings.
pick() {
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		warning* | "internal warning"*) word=warning ;;
		*) word=error ;;
		esac
		[ "$word" = "$1" ] && say "$word" "$line"
	done <"$work/n/$name/stderr" | head -n 60
}
[ "$count" = 0 ] || while IFS= read -r name; do
	code=-
	read -r code <"$work/n/$name/code"
	say checked "$name $code"
	if [ -f "$work/n/$name/crashed" ]; then
		read -r code <"$work/n/$name/crashed"
		say crashed "$code"
	fi
	[ -f "$work/n/$name/stderr" ] || continue
	pick error
	pick warning
done <"$work/nodes"
if [ "$remove" = remove ]; then
	used=''
	cd -P "$home/current" 2>/dev/null && used=${PWD##*/}
	cd / || exit 1
	[ "$used" = "$id" ] || [ -f "$release.info" ] || rm -rf "$release" "$home/releases/.seen-$id"
fi
