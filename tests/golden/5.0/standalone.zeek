##! Options of the cluster campus, the same for all its nodes; written by clusterctl.

@load frameworks/control/controllee
@load ./agent

# Without this every node would listen for a controller as well.
redef Control::controllee_listen = F;

redef global_hash_seed = "campus-5eed";

# The framework's default are programs of ZeekControl's.
redef Log::default_rotation_postprocessor_cmd = "";

module Clusterctl;

function rotation_format(ri: Log::RotationFmtInfo): Log::RotationPath
	{
	local opened = strftime(Log::default_rotation_date_format, ri$open);
	local closed = strftime(Log::default_rotation_date_format, ri$close);
	return Log::RotationPath($file_basename=fmt("%s__%s__%s__", ri$path, opened, closed));
	}

module GLOBAL;
redef Log::default_rotation_interval = 3600secs;
redef Log::default_rotation_dir = "../../log-queue";
redef Log::rotation_format_func = Clusterctl::rotation_format;
redef LogAscii::enable_leftover_log_rotation = T;
