##! Options of the cluster campus, the same for all its nodes; written by clusterctl.

@load base/frameworks/cluster/nodes/logger
@load frameworks/control/controllee
@load ./agent

# Without this every node would listen for a controller as well.
redef Control::controllee_listen = F;

redef global_hash_seed = "campus-5eed";

# The framework's default are programs of ZeekControl's.
redef Log::default_rotation_postprocessor_cmd = "";
redef Log::default_rotation_interval = 3600secs;
redef Log::default_rotation_dir = "../../log-queue";
redef Log::rotation_format_func = archiver_rotation_format_func;
redef LogAscii::enable_leftover_log_rotation = T;
