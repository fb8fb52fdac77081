# How the runner `systemd` starts a node: as a unit of its own, a drop-in of one constant template. start.sh stands
# after it.
started='' why=- granted=-
# Sets why to the reason why there can be no units; empty where there can.
look_for_systemd() {
	manager
	why=''
	if [ ! -d /run/systemd/system ]; then
		why="systemd does not run on this host: write \`runner: process\`"
	elif [ "$uid" != 0 ] && [ ! -S "/run/user/$uid/systemd/private" ]; then
		why="no systemd of this user runs; run as root: loginctl enable-linger $(id -un)"
	fi
}
# Sets out to a text as it stands between quotes in a unit file: systemd.syntax(7), systemd.unit(5).
# shellcheck disable=SC1003
quoted() {
	swap "$1" '\' '\\'
	swap "$out" '"' '\"'
	swap "$out" % %%
}
begin_unit() {
	[ "$why" != - ] || look_for_systemd
	if [ -n "$why" ]; then
		say dead "$node $why"
		return 1
	fi
	make_room
	if supervisor_alive "$dir"; then
		say dead "$node a supervisor of the runner process is starting it"
		return 1
	fi
	unit_of "${home##*/}" "$node"
	quoted "$dir"
	mine="\"CLUSTERCTL_DIR=$out\""
	file=$units/$unit.d/clusterctl.conf
	if [ -f "$file" ] && ! grep -qF -- "$mine" "$file"; then
		say dead "$node its unit belongs to another folder: see $file"
		return 1
	fi
	text="# Written by clusterctl, and again with each start.
[Service]
Environment=$mine"
	quoted "$home"
	text="$text
Environment=\"CLUSTERCTL_HOME=$out\""
	quoted "$home/releases/$release"
	text="$text
Environment=\"CLUSTERCTL_RELEASE=$out\" CLUSTERCTL_NODE=$node"
	while IFS= read -r line; do
		case $line in
		"unit "*) text="$text
${line#unit }" ;;
		"captures yes")
			[ "$granted" != - ] || grants
			[ -z "$granted" ] || text="$text
AmbientCapabilities=$granted"
			;;
		"zeekpath "*) break ;;
		esac
	done <"$home/releases/$release/start/$node"
	template=$home/releases/$release/clusterctl/clusterctl@.service
	if ! { mkdir -p "${file%/*}" "$units/$wants" && keep "$dir/unit" "$unit" && keep "$file" "$text" && {
		cmp -s "$template" "$units/${template##*/}" ||
			{ cp "$template" "$units/${template##*/}.new" && mv -f "$units/${template##*/}.new" "$units/${template##*/}"; }
	} && ln -sf "../${template##*/}" "$units/$wants/$unit"; } 2>/dev/null; then
		say dead "$node can't write in $units"
		return 1
	fi
	mv -f "$dir/exit" "$dir/exit.last" 2>/dev/null
	started="$started $unit"
}
start_units() {
	[ -n "$started" ] || return 0
	set -f
	# shellcheck disable=SC2086
	set -- $started
	set +f
	started=''
	# One that pauses after a crash is started at once.
	if ! said=$(ctl daemon-reload 2>&1 && { ctl reset-failed "$@" 2>/dev/null || :; } && ctl restart --no-block "$@" 2>&1); then
		for node in $left; do
			say dead "$node systemd does not start it: $(printf '%s' "$said" | tr '\n' ' ')"
		done
		left=''
	fi
}
