"""Reads a lake with engines that are not ours, and says what they found.

usage: check_lake.py ROOT TABLE PORT_COLUMN PORT TIME_COLUMN FROM UNTIL

deltalake opens the table by its log; its SQL engine (DataFusion) runs the query over it. DuckDB reads the same folder
as plain Parquet, and the rows that deltalake hands over as Arrow. The answer is one JSON object on stdout; the test
that calls this compares it with what was written. Nothing is asserted here, so that a difference shows whole.
"""

import json
import re
import sys
from collections import Counter

import duckdb
from deltalake import DeltaTable, QueryBuilder


def main(root, table, port_column, port, time_column, begin, end):
    location = f"{root}/{table}"
    delta = DeltaTable(location)
    protocol = delta.protocol()
    sql = QueryBuilder().register(table, delta)
    duck = duckdb.connect()
    duck.execute("set timezone = 'UTC'")
    # A glob as a person would write it. The folders' names give the partition column.
    glob = f"read_parquet('{location}/date=*/*.parquet', hive_partitioning = true)"
    where = (
        f"{port_column} = {port} and {time_column} >= timestamptz '{begin}'"
        f" and {time_column} < timestamptz '{end}'"
    )
    delta_where = where.replace("timestamptz ", "")

    columns = [(field.name, field.type.type) for field in delta.schema().fields]
    delta_rows = sql.execute(f"select * from {table}")
    checksum = "count(*), sum(hash(%s)::hugeint)" % ", ".join(sorted(f'"{name}"' for name, _ in columns))
    matches = sql.execute(f"select count(*) as n from {table} where {delta_where}").read_all()
    plan = sql.execute(f"explain analyze select count(*) from {table} where {delta_where}").read_all()
    plan = "\n".join(cell.as_py() for cell in plan["plan"])
    duck_plan = duck.execute(f"explain analyze select count(*) from {glob} where {where}").fetchone()[1]

    adds = delta.get_add_actions(flatten=True)
    files = adds.to_struct_array().to_pylist()
    # What a planner that knows only the log may skip.
    kept_by_log = duck.execute(
        f"select count(*) from adds where \"min.{port_column}\" <= {port} and \"max.{port_column}\" >= {port}"
        f" and \"min.{time_column}\" < timestamptz '{end}' and \"max.{time_column}\" >= timestamptz '{begin}'"
    ).fetchall()
    scanned = re.search(r"Row Groups Scanned: (\d+) / (\d+)", duck_plan)
    pruned = re.search(r"row_groups_pruned_statistics=(\d+) total \S+ (\d+) matched", plan)
    found = {
        "protocol": [protocol.min_reader_version, protocol.min_writer_version],
        "reader_features": protocol.reader_features or [],
        "writer_features": protocol.writer_features or [],
        "columns": dict(columns),
        "partition_columns": delta.metadata().partition_columns,
        "rows_by_log": sum(file["num_records"] for file in files),
        "rows_by_date": rows_by_date(files),
        "rows_by_glob": one(duck.execute(f"select count(*) from {glob}").fetchall()),
        # The same rows: every column of every row takes part in the sum, in whatever order they come.
        "checksum_by_delta": [str(x) for x in duck.execute(f"select {checksum} from delta_rows").fetchone()],
        "checksum_by_glob": [str(x) for x in duck.execute(f"select {checksum} from {glob}").fetchone()],
        "matches_by_delta": matches["n"][0].as_py(),
        "matches_by_glob": one(duck.execute(f"select count(*) from {glob} where {where}").fetchall()),
        "files": len(files),
        "files_kept_by_log": one(kept_by_log),
        "row_groups_scanned": [int(scanned[1]), int(scanned[2])] if scanned else duck_plan,
        "row_groups_kept": [int(pruned[2]), int(pruned[1])] if pruned else plan,
    }
    json.dump(found, sys.stdout)


def rows_by_date(files):
    rows = Counter()
    for file in files:
        rows[str(file["partition.date"])] += file["num_records"]
    return dict(sorted(rows.items()))


def one(rows):
    return rows[0][0]


main(*sys.argv[1:])
