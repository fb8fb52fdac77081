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

# This version's WebSocket has TLS exactly if Broker has.
redef Broker::disable_ssl = T;
