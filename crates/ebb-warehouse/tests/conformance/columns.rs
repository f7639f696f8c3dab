//! What models may look like, and how they are read for people.

use ebb_core::{
    Code, RecordSet,
    port::{Preview, Wanted},
};

use crate::{assert_lines, bench::Bench, engine::Engine};

fn rows(preview: &Preview) -> Vec<String> {
    let set = RecordSet::new(&preview.rows, "m".into(), "2026-01-01T00:00:00Z".into()).unwrap();
    set.iter()
        .map(|record| {
            format!(
                "{} {} {}",
                record.operation(),
                record.record_id(),
                record.properties().to_json()
            )
        })
        .collect()
}

pub(super) async fn models_of_every_shape_are_read<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    for sql in [
        "select id, name, city from users;",
        "-- all\nselect id, name, city from users -- of them\n;\n-- end",
        "with everybody as (select * from users) select * from everybody;",
        "select id, name, city from users union all select id, name, city from users where 1 = 0",
        "select id, name, city from users order by name limit 10",
    ] {
        bench.query(sql);
        let extracted = bench.extract().await;
        assert_lines!(extracted.lines(), [r#"added 1 {"id":1,"name":"Ada","city":"London"}"#]);
    }
    let odd = bench.engine.odd_name();
    let [id, name, select] = ["ID of it", odd, "select"].map(|name| bench.engine.quoted(name));
    bench.query(&format!("select id as {id}, name as {name}, 'x' as {select} from users"));
    bench.model.id = "ID of it".into();
    bench.keep_deleted_values = true;
    let odd = serde_json::to_string(odd).unwrap();
    let expected = format!(r#"added 1 {{"ID of it":1,{odd}:"Ada","select":"x"}}"#);
    assert_lines!(bench.sync().await, [expected]);
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn models_that_are_not_one_query_are_refused<E: Engine>(engine: E) {
    let bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    for sql in [
        "",
        "delete from users",
        "select id from users; select id from users",
        "select id from users; drop table users",
        "select id from users) m; drop table users; --",
        "update users set id = 2",
        "drop table users",
    ] {
        let mut model = bench.model.clone();
        model.sql = sql.into();
        let failure = bench.warehouse.columns(&model).await.unwrap_err();
        assert_eq!(failure.code, Code::ModelNotQuery, "{sql}");
        assert!(bench.warehouse.preview(&model, Wanted::First, 10).await.is_err(), "{sql}");
    }
    assert_eq!(bench.engine.count("users").await, 1);
}

pub(super) async fn missing_columns_are_named<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "").await;
    bench.model.id = "idd".into();
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelColumnMissing);
    assert_eq!(failure.message(), "the model has no identifier column `idd`");
    assert_eq!(failure.advice(), "Did you mean `id`? Allowed: `id`, `name`, `city`");
    bench.model.id = "id".into();
    bench.model.timestamp = Some("moved".to_owned());
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.message(), "the model has no timestamp column `moved`");
}

pub(super) async fn doubled_columns_are_refused<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "").await;
    bench.query("select id, name, name from users");
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelColumns, "{failure}");
    let columns: Vec<_> = (0..512).map(|place| format!("{place} as c{place}")).collect();
    bench.model.sql = format!("select 1 as id, {}", columns.join(", "));
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelColumns);
    assert_eq!(failure.message(), "the model has `513` columns, at most `512` are allowed");
    // As many as are allowed go all the way.
    bench.model.sql = format!("select 1 as id, {}", columns[1..].join(", "));
    assert_eq!(bench.sync().await.len(), 1);
    assert_eq!(bench.sync().await.len(), 0);
}

pub(super) async fn columns_may_be_named_like_ebbs_own<E: Engine>(engine: E) {
    engine
        .run(
            "create table odd (seq bigint, op varchar(9), record_id bigint, checksum varchar(9), \
              k bigint, h bigint, c0 bigint, o0 bigint, n bigint, m bigint, seq_ bigint); \
              insert into odd values (1, 'two', 3, 'four', 5, 6, 7, 8, 9, 10, 11)",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from odd");
    bench.model.id = "record_id".into();
    bench.keep_deleted_values = true;
    let values = r#"{"seq":1,"op":"two","record_id":3,"checksum":"four","k":5,"h":6,"c0":7,"o0":8,"n":9,"m":10,"seq_":11}"#;
    assert_lines!(bench.sync().await, [format!("added 3 {values}")]);
    assert_lines!(bench.sync().await, []);
    bench.run("update odd set op = 'new'").await;
    let changed = values.replace("two", "new");
    assert_lines!(bench.sync().await, [format!("updated 3 {changed}")]);
    bench.run("delete from odd").await;
    assert_lines!(bench.sync().await, [format!("deleted 3 {changed}")]);
}

pub(super) async fn previews_show_the_first_records<E: Engine>(engine: E) {
    let bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null), (3, 'Cy', '')").await;
    let preview = bench.warehouse.preview(&bench.model, Wanted::First, 2).await.unwrap();
    assert_lines!(
        rows(&preview),
        [
            r#"added 1 {"id":1,"name":"Ada","city":"London"}"#,
            r#"added 2 {"id":2,"name":"Bo","city":null}"#,
        ]
    );
    bench.run("delete from users").await;
    let preview = bench.warehouse.preview(&bench.model, Wanted::First, 2).await.unwrap();
    assert_eq!(preview.columns.len(), 3);
    assert_eq!(preview.rows.num_rows(), 0);
}

pub(super) async fn one_record_is_found_by_its_identifier<E: Engine>(engine: E) {
    let bench = Bench::users(engine, "(1, 'Ada', 'London'), (22, 'Bo', null)").await;
    let record = bench.warehouse.preview(&bench.model, Wanted::Record("22"), 1).await.unwrap();
    assert_lines!(rows(&record), [r#"added 22 {"id":22,"name":"Bo","city":null}"#]);
    let record = bench.warehouse.preview(&bench.model, Wanted::Record("2"), 1).await.unwrap();
    assert_lines!(rows(&record), []);
    let record = bench.warehouse.preview(&bench.model, Wanted::Record("it's"), 1).await.unwrap();
    assert_lines!(rows(&record), []);
}

pub(super) async fn records_are_found_by_what_is_in_them<E: Engine>(engine: E) {
    let values = "(22, 'Ada 50%', 'L\u{f6}wen'), (2, 'Bo', null), (3, 'Cy_2', 'it''s')";
    let bench = Bench::users(engine, values).await;
    let found = async |text| {
        let preview = bench.warehouse.preview(&bench.model, Wanted::Containing(text), 2).await;
        let set = RecordSet::new(&preview.unwrap().rows, "".into(), "".into()).unwrap();
        set.iter().map(|record| record.record_id().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (text, ids) in [
        ("ADA", "22"),
        ("50%", "22"),
        ("l\u{f6}", "22"),
        ("y_", "3"),
        ("it's", "3"),
        ("o%", ""),
        ("\\", ""),
    ] {
        assert_eq!(found(text).await, ids, "{text}");
    }
    // The record that the text identifies is the first of those that have it in them.
    assert!(found("2").await.starts_with("2 "));
}

pub(super) async fn a_model_that_the_engine_refuses_is_told<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "").await;
    for sql in
        ["select id from nowhere", "select id, nothing from users", "select id from users where"]
    {
        bench.query(sql);
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::SourceQuery, "{failure}");
    }
}

pub(super) async fn text_of_every_kind_arrives<E: Engine>(engine: E) {
    engine.run("create table texts (id varchar(50), body varchar(1000))").await;
    let mut bench = Bench::new(engine, "select id, body from texts");
    let long = "x".repeat(900);
    let texts = ["", " ", "it's", "a\nb\tc\\d\"e", "ünïcödé 😀 \u{200d}", "null", "{}", &long];
    for (place, text) in texts.iter().enumerate() {
        let text = text.replace('\'', "''");
        bench.run(&format!("insert into texts values ('k{place} ü', '{text}')")).await;
    }
    let extracted = bench.extract().await;
    let mut bodies: Vec<_> = extracted
        .changes
        .iter()
        .map(|change| serde_json::from_str::<serde_json::Value>(&change.values).unwrap())
        .collect();
    bodies.sort_by_key(|body| body["id"].to_string());
    let bodies: Vec<_> = bodies.iter().map(|body| body["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, texts);
    assert!(extracted.changes.iter().any(|change| change.record_id == "k0 ü"));
    bench.commit(&extracted.commit()).await;
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn tables_are_listed_with_their_columns<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let [table, column] = ["Of_Others", "Full_name"].map(|name| bench.engine.quoted(name));
    bench.run(&format!("create table {table} (id bigint, {column} varchar(9))")).await;
    assert_eq!(bench.sync().await.len(), 1, "Ebb has tables of its own now");
    let told = bench.warehouse.tables().await.unwrap();
    // Several tests share a server: theirs lie in other schemas.
    let tables: Vec<_> = told.tables.iter().filter(|table| !table.sql.contains('.')).collect();
    let names: Vec<_> = tables.iter().map(|table| table.name.to_lowercase()).collect();
    assert_eq!(names, ["of_others", "users"], "{told:?}");
    let users = tables[1];
    let columns: Vec<_> = users.columns.iter().map(|column| column.name.to_lowercase()).collect();
    assert_eq!(columns, ["id", "name", "city"]);
    assert!(users.columns.iter().all(|column| !column.native.is_empty()), "{users:?}");
    // What is told can be read as it is told.
    for table in tables {
        let columns: Vec<_> = table.columns.iter().map(|column| column.sql.as_str()).collect();
        bench.query(&format!("select {} from {}", columns.join(", "), table.sql));
        let read = bench.warehouse.columns(&bench.model).await.unwrap();
        let read: Vec<_> = read.iter().map(|column| column.name.clone()).collect();
        let told: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
        assert_eq!(read, told);
    }
}
