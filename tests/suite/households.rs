//! Households: who is counted together in a social registry, who is family in a civil one.

use gateway_tests::gateway::{TestGateway, identifiers};
use insta::assert_json_snapshot;
use serde_json::json;

/// The first child of the first household: it has parents to tell.
const CHILD: u64 = 2;
/// What the eight of the first household are to each other, as the stand-in tells.
const SOCIAL_RELATIONS: usize = 52;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn household() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "identifiers": identifiers(&gateway.person(CHILD).uin),
        "fields": ["birthDate"],
    });
    let civil = gateway.lookup("civil", "household", &body).send().await;
    assert_json_snapshot!(civil.shown(), @r#"
    {
      "body": {
        "household": {
          "kind": "kinship",
          "members": [
            0,
            1,
            2
          ],
          "people": [
            {
              "birthDate": {
                "value": "1998-07-05"
              }
            },
            {
              "birthDate": {
                "value": "1962-05-19"
              }
            },
            {
              "birthDate": {
                "value": "1959-06-14"
              }
            }
          ],
          "relations": [
            {
              "object": 1,
              "role": "mother",
              "subject": 0
            },
            {
              "object": 2,
              "role": "father",
              "subject": 0
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
    let social = gateway.lookup("social", "household", &body).send().await;
    let mut social = social.shown();
    // Each of the eight to most of the others: the first stands for all.
    let relations = social["body"]["household"]
        .as_object_mut()
        .unwrap()
        .remove("relations");
    let relations = relations.unwrap();
    assert_eq!(relations.as_array().unwrap().len(), SOCIAL_RELATIONS);
    assert_eq!(
        relations[0],
        serde_json::json!({ "subject": 0, "object": 1, "role": "spouse" })
    );
    assert_json_snapshot!(social, @r#"
    {
      "body": {
        "household": {
          "head": 0,
          "kind": "household",
          "members": [
            0,
            1,
            2,
            3,
            4,
            5,
            6,
            7
          ],
          "people": [
            {
              "birthDate": {
                "value": "1962-05-19"
              }
            },
            {
              "birthDate": {
                "value": "1959-06-14"
              }
            },
            {
              "birthDate": {
                "value": "1998-07-05"
              }
            },
            {
              "birthDate": {
                "value": "1990-05-21"
              }
            },
            {
              "birthDate": {
                "value": "1990-11-12"
              }
            },
            {
              "birthDate": {
                "value": "1980-11-21"
              }
            },
            {
              "birthDate": {
                "value": "1932-02-05"
              }
            },
            {
              "birthDate": {
                "value": "1932-07-13"
              }
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
