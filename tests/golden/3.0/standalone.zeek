##! Options of the cluster campus, the same for all its nodes; written by clusterctl.

@load frameworks/control/controllee
@load ./agent

# Without this every node would listen for a controller as well.
redef Control::controllee_listen = F;

redef global_hash_seed = "campus-5eed";

# The framework's default are programs of ZeekControl's.
redef Log::default_rotation_postprocessor_cmd = "";
redef Log::default_rotation_interval = 3600secs;
