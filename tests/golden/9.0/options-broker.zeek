##! Options of the cluster campus, the same for all its nodes; written by clusterctl.

@load base/utils/addrs
@load frameworks/control/controllee
@load ./agent

# Without this every node would listen for a controller as well.
redef Control::controllee_listen = F;

redef global_hash_seed = "campus-5eed";

redef Site::local_nets += {
	10.0.0.0/8, # private
	[2001:db8::]/32,
};

# The Cluster framework's own options.
redef Cluster::default_backend = Broker::MEMORY;
redef Cluster::default_master_node = "manager";
redef Cluster::default_persistent_backend = Broker::SQLITE;
redef Cluster::default_publish_table_batch_size = 5000;
redef Cluster::default_store_dir = "/data/stores";
redef Cluster::default_websocket_max_event_queue_size = 64;
redef Cluster::default_websocket_ping_interval = 10secs;
redef Cluster::enable_round_robin_logging = F;
# The framework has looked at it before this script is loaded: undo what it did.
redef Broker::log_topic = Broker::default_log_topic;
redef Cluster::logger_topic = "campus/logger";
redef Cluster::manager_topic = "campus/manager";
redef Cluster::node_topic_prefix = "campus/node/";
redef Cluster::nodeid_topic_prefix = "campus/nodeid/";
redef Cluster::proxy_topic = "campus/proxy";
redef Cluster::retry_interval = 1500msecs;
redef Cluster::worker_topic = "campus/worker";

redef Cluster::stores += {
	["zeek/known/hosts"] = Cluster::StoreInfo($master_node="proxy-1", $backend=Broker::SQLITE, $options=Broker::BackendOptions($sqlite=Broker::SQLiteOptions($path="/data/stores/hosts.sqlite")), $clone_resync_interval=10secs, $clone_stale_interval=300secs, $clone_mutation_buffer_interval=120secs),
	["zeek/known/services"] = Cluster::StoreInfo(),
};

redef Telemetry::metrics_address = addr_to_uri(Cluster::nodes[Cluster::node]$ip);

# The framework's default are programs of ZeekControl's.
redef Log::default_rotation_postprocessor_cmd = "";

@if ( Cluster::local_node_type() == Cluster::LOGGER || ( Cluster::manager_is_logger && Cluster::local_node_type() == Cluster::MANAGER ) )
redef Log::default_rotation_interval = 900secs;
redef Log::default_rotation_dir = "../../log-queue";
redef Log::rotation_format_func = archiver_rotation_format_func;
redef LogAscii::enable_leftover_log_rotation = T;
@endif

@if ( Cluster::local_node_type() == Cluster::MANAGER )
event zeek_init() &priority=-100
	{
	if ( getenv("ZEEKCTL_CHECK_CONFIG") != "" || getenv("ZEEKCTL_DISABLE_LISTEN") != "" )
		return;

	if ( ! Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=27759/tcp]) )
		Reporter::error("clusterctl: can't listen on 127.0.0.1, port 27759: clusterctl gets no answers");
	}
@endif
