namespace CdcMigrator.Postgres.Connections;

/// <summary>Session settings by role, set once a physical connection is open. Values are text both ways, so what text means is pinned.</summary>
internal static class SessionSettings
{
    /// <summary>What the text form of a value depends on, and name lookup: with an empty search path a foreign object cannot be met by accident.</summary>
    public const string Text = """
        set client_encoding = 'UTF8'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 1;
        set bytea_output = 'hex'; set xmloption = 'content'; set lc_monetary = 'C'; set lc_numeric = 'C'; set search_path = '';
        set standard_conforming_strings = on; set row_security = off; set client_min_messages = 'warning'; set jit = off;
        """;

    /// <summary>
    /// Apply sessions. Joins between a batch and a table are always by key through its index: estimates of a table that was never analyzed
    /// would else choose to read all of it. A commit waits for the disk, because the log is released by it.
    /// </summary>
    public const string Apply = Text + """

        set plan_cache_mode = force_custom_plan; set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;
        set idle_in_transaction_session_timeout = '60s'; set statement_timeout = '5min'; set lock_timeout = 0; set tcp_user_timeout = '30s';
        select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
        """;

    /// <summary>Control sessions.</summary>
    public const string Control = Text + """

        set idle_in_transaction_session_timeout = '60s'; set statement_timeout = '5min';
        """;

    /// <summary>Reads of single rows in the source, while a lane waits for them.</summary>
    public const string SourceRead = Text + """

        set default_transaction_read_only = on; set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;
        set idle_in_transaction_session_timeout = '60s'; set statement_timeout = '30s';
        """;

    /// <summary>
    /// Snapshots of rows that are compared. An index is taken where there is one: of a table that was never analyzed a chunk would else cost a scan of all.
    /// A digest may take long, and the snapshot of the side that is done waits for the other one's; one that nobody comes back to is ended, for it keeps dead rows from being removed.
    /// </summary>
    public const string Verify = Text + """

        set default_transaction_isolation = 'repeatable read'; set default_transaction_read_only = on; set enable_seqscan = off;
        set idle_in_transaction_session_timeout = '2h'; set statement_timeout = '2h'; set lock_timeout = '30s';
        """;

    /// <summary>A survey of the source. Each statement's limit is set with it.</summary>
    public const string Audit = Text + """

        set default_transaction_read_only = on; set idle_in_transaction_session_timeout = '60s'; set statement_timeout = '5min'; set lock_timeout = '10s';
        """;

    /// <summary>Queries of an application: search path, planner and row security as the application's, only the text of values is pinned.</summary>
    public const string Benchmark = """
        set client_encoding = 'UTF8'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 1;
        set bytea_output = 'hex'; set xmloption = 'content'; set lc_monetary = 'C'; set lc_numeric = 'C'; set client_min_messages = 'warning';
        set default_transaction_read_only = on; set idle_in_transaction_session_timeout = '60s'; set lock_timeout = '10s';
        """;
}
