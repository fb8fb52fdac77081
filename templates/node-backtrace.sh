# The verb `backtrace`: what a core says.
backtrace() {
	while read -r key value; do
		[ "$key" = zeek ] && break
	done <"$start"
	unset DEBUGINFOD_URLS
	cd "${1%/*}" || exit
	umask 077
	timeout 150 gdb -batch -nx -ex 'thread apply all backtrace' "$value" "$1" >backtrace.new 2>&1 </dev/null
	mv -f backtrace.new backtrace
}
