##! Options of the cluster campus, the same for all its nodes; written by clusterctl.

@load base/utils/addrs
@load base/frameworks/cluster/nodes/logger
@load frameworks/control/controllee
@load ./agent

# Without this every node would listen for a controller as well.
redef Control::controllee_listen = F;

redef global_hash_seed = "campus-5eed";
redef Clusterctl::node = "zeek";

redef Telemetry::metrics_address = "127.0.0.1";
redef Telemetry::metrics_port = 9991/tcp;

# The framework's default are programs of ZeekControl's.
redef Log::default_rotation_postprocessor_cmd = "";
redef Log::default_rotation_interval = 3600secs;
redef Log::default_rotation_dir = "../../log-queue";
redef Log::rotation_format_func = archiver_rotation_format_func;
redef LogAscii::enable_leftover_log_rotation = T;

event zeek_init() &priority=-100
	{
	if ( getenv("ZEEKCTL_CHECK_CONFIG") != "" || getenv("ZEEKCTL_DISABLE_LISTEN") != "" )
		return;

	if ( ! Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=27759/tcp]) )
		Reporter::error("clusterctl: can't listen on 127.0.0.1, port 27759: clusterctl gets no answers");
	Cluster::subscribe(Cluster::node_topic(Clusterctl::node));
	}
