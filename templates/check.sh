# Parses a staged release with the real Zeek. Arguments: the cluster's folder, the release, the deadline in seconds,
# `remove` to take the release away again where it does not run. Input: nodes, one a line. No port is opened: --parse-only runs no event.
home=$1 id=$2 deadline=$3
release=$home/releases/$id
export ZEEKCTL_CHECK_CONFIG=1 ZEEKCTL_DISABLE_LISTEN=1
work=$home/check.$$
mkdir "$work" || {
	say fail "can't make $work"
	exit 1
}
trap 'rm -rf "$work"; echo "$T end $?"' EXIT
check() {
	zeekpath='' zeek=''
	set --
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"arg "*) set -- "$@" "$value" ;;
		"env "*)
			# shellcheck disable=SC2163
			export "$value"
			;;
		"zeekpath "*) zeekpath=$value ;;
		"zeek "*) zeek=$value ;;
		esac
	done <"$release/start/$node"
	export ZEEKPATH="$release/site:$release/data:$release:$zeekpath"
	exec timeout "$deadline" "$zeek" --parse-only "$@"
}
while IFS= read -r node && [ -n "$node" ]; do
	mkdir -p "$work/$node"
	(cd "$work/$node" && check </dev/null >stdout 2>stderr)
	code=$?
	say checked "$node $code"
	[ "$code" = 0 ] && continue
	head -n 40 "$work/$node/stderr" | while IFS= read -r line; do
		say error "$line"
	done
done
if [ "$4" = remove ]; then
	used=''
	cd -P "$home/current" 2>/dev/null && used=${PWD##*/}
	cd / || exit 1
	[ "$used" = "$id" ] || [ -f "$release.info" ] || rm -rf "$release"
fi
