from tests.aws.conftest import *
from vitrina.channels import ClientType
def test_x(management_api, user_account, admin_token):
    import functions.login.handler as l, functions.stats.handler as s, functions.approve.handler as a, functions.products.handler as p
    print(HttpCall(l.handler)("POST","/api/v1/auth/login",{"email":"user@example.com","password":"password"}))
    print(HttpCall(l.handler)("POST","/api/v1/auth/login",{"email":"user@example.com","password":"passwrd"}))
    connect("u1=", ClientType.USER); connect("s1", ClientType.SHOP); connect("a1", ClientType.ADMIN)
    print(HttpCall(s.handler)("GET","/ws/stats"))
    pr=HttpCall(p.handler)("POST","/api/v1/products",{"product_name":"Красное платье","price":5.25}, token=token_of(ClientType.SHOP)); print(pr)
    for t in (None, token_of(ClientType.USER), admin_token, admin_token):
        print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve",token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/x/approve",token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve","{{{",token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve","[" * 10000,token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve","1"*10_000_000,token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve",{"x":1},token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/bulk-approve",{"product_ids":[1,2]},token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/nope",{"product_ids":[1,2]},token=t))
    print(HttpCall(a.handler)("POST",f"/api/v1/admin/products/1/approve","a=1",token=t, headers={"content-type":"text/xml"}))
    print(HttpCall(p.handler)("GET",f"/api/v1/products"))
    print(HttpCall(p.handler)("GET",f"/api/v1/products", cursor="zzz"))
    print(HttpCall(p.handler)("GET",f"/api/v1/products", status="pending"))
    print(HttpCall(p.handler)("GET",f"/api/v1/products/1"))
    for k,v in management_api.received.items(): print(k, [x.decode() for x in v])
