# The verb `asked`: what systemd ends is not started again.
asked() {
	[ -z "${MAINPID:-}" ] || : >asked
}
