//! People found and verified, from HTTP to the stand-in and back.

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::stand_in::Fault;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// The first child of the first household: it has parents to tell.
const CHILD: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find() {
    let gateway = TestGateway::start().await;
    let child = gateway.person(CHILD);
    let civil = gateway.find("civil", &child.uin).send().await;
    assert_json_snapshot!(civil.shown(), @r#"
    {
      "body": {
        "person": {
          "addresses": [
            {
              "areas": [
                {
                  "code": "R05",
                  "kind": "region",
                  "level": 1
                }
              ],
              "city": "Old Market",
              "country": "XX",
              "lines": [
                "158 Old Market"
              ]
            },
            {
              "text": "Old Market",
              "use": "birth"
            }
          ],
          "birthDate": {
            "value": "1998-07-05"
          },
          "contacts": [
            {
              "system": "phone",
              "value": "+999147000552"
            }
          ],
          "identifiers": [
            {
              "scheme": "national-id",
              "value": "6908678557"
            },
            {
              "scheme": "birth-registration-number",
              "value": "B2184100069"
            }
          ],
          "maritalStatus": "never-married",
          "names": [
            {
              "family": "Dzhorvanelk",
              "given": [
                "Ivan"
              ]
            }
          ],
          "related": [
            {
              "identifiers": [
                {
                  "scheme": "national-id",
                  "value": "6230165646"
                }
              ],
              "role": "parent"
            },
            {
              "identifiers": [
                {
                  "scheme": "national-id",
                  "value": "4923100210"
                }
              ],
              "role": "parent"
            }
          ],
          "sex": "male",
          "unmapped": [
            {
              "field": "identifiers.scheme",
              "value": "NID"
            }
          ]
        },
        "source": {
          "module": "[digest]",
          "registry": "civil"
        }
      },
      "status": 200
    }
    "#);
    let body = json!({
        "identifiers": [{ "scheme": "birth-registration-number", "value": child.brn }],
        "fields": ["identifiers", "names", "birthDate", "maritalStatus"],
    });
    let social = gateway.lookup("social", "find", &body).send().await;
    assert_json_snapshot!(social.shown(), @r#"
    {
      "body": {
        "person": {
          "birthDate": {
            "value": "1998-07-05"
          },
          "identifiers": [
            {
              "scheme": "national-id",
              "value": "6908678557"
            },
            {
              "scheme": "birth-registration-number",
              "value": "B2184100069"
            }
          ],
          "maritalStatus": "never-married",
          "names": [
            {
              "family": "Dzhorvanelk",
              "given": [
                "Ivan"
              ]
            }
          ]
        },
        "source": {
          "module": "[digest]",
          "registry": "social"
        }
      },
      "status": 200
    }
    "#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify() {
    let gateway = TestGateway::start().await;
    let child = gateway.person(CHILD);
    let claim = |claimed: Value| {
        let body = json!({ "identifiers": identifiers(&child.uin), "claimed": claimed });
        gateway.lookup("civil", "verify", &body).send()
    };
    let name = json!([{ "family": child.name.surname, "given": [child.name.given] }]);
    let truth = json!({ "names": name, "birthDate": child.birth.to_string() });
    assert_json_snapshot!(claim(truth).await.shown(), @r#"
    {
      "body": {
        "source": {
          "module": "[digest]",
          "registry": "civil"
        },
        "verification": {
          "attributes": [
            {
              "agreement": "match",
              "field": "name.family"
            },
            {
              "agreement": "match",
              "field": "name.given"
            },
            {
              "agreement": "match",
              "field": "birth-date"
            }
          ],
          "overall": "match"
        }
      },
      "status": 200
    }
    "#);
    let lie = json!({ "names": name, "birthDate": "1900-01-01", "deathDate": "2020-02-02" });
    let lie = claim(lie).await;
    // It tells that the date is another, not which.
    assert!(!lie.text.contains(&child.birth.to_string()), "{}", lie.text);
    assert_json_snapshot!(lie.shown(), @r#"
    {
      "body": {
        "source": {
          "module": "[digest]",
          "registry": "civil"
        },
        "verification": {
          "attributes": [
            {
              "agreement": "match",
              "field": "name.family"
            },
            {
              "agreement": "match",
              "field": "name.given"
            },
            {
              "agreement": "mismatch",
              "field": "birth-date"
            },
            {
              "agreement": "missing",
              "field": "death-date"
            }
          ],
          "overall": "mismatch"
        }
      },
      "status": 200
    }
    "#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_more_than_one() {
    let gateway = TestGateway::start().await;
    let nobody = gateway.find("civil", "1000000000").send().await;
    assert_json_snapshot!(nobody.shown(), @r#"
    {
      "body": {
        "code": "not-found",
        "detail": "the registry has nobody by that identifier",
        "status": 404,
        "type": "urn:registry-gateway:problem:not-found"
      },
      "status": 404
    }
    "#);
    let twice = Fault::uin("two-answers").unwrap();
    assert_eq!(twice, "9900000020");
    let twice = gateway.find("civil", &twice).send().await;
    assert_json_snapshot!(twice.shown(), @r#"
    {
      "body": {
        "code": "ambiguous",
        "detail": "the registry has more than one where one was asked for",
        "field": "identifiers",
        "registryCode": "answer.several",
        "status": 409,
        "type": "urn:registry-gateway:problem:ambiguous"
      },
      "status": 409
    }
    "#);
}

/// A caller who asks for less gets less; what the policy hides is not told to anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_fields_that_are_wanted_leave() {
    let gateway = TestGateway::start().await;
    let mut body = json!({ "identifiers": identifiers(&gateway.person(CHILD).uin) });
    let whole = gateway.lookup("social", "find", &body).send().await.ok();
    let person = whole.json["person"].as_object().unwrap();
    assert!(person.len() > 2, "{person:?}");
    assert!(!person.contains_key("extra"));
    body["fields"] = json!(["birthDate", "sex"]);
    let part = gateway.lookup("social", "find", &body).send().await.ok();
    let person = part.json["person"].as_object().unwrap();
    let names: Vec<&str> = person.keys().map(String::as_str).collect();
    assert_eq!(names, ["birthDate", "sex"]);
}
